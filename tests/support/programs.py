"""Both web programs, whole, with nothing behind them: for tests over all their routes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import certifi
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from litestar import Litestar
from litestar.routes import HTTPRoute
from msgspec import structs
from unit.data_plane_web.fakes import settings as workspace_settings
from vivero_control.app import create_program
from vivero_control.settings import Settings
from vivero_control.web.pages import pages
from vivero_data.app import create_app

CONTACT: Final = "mailto:security@example.com"


@dataclass(frozen=True, slots=True)
class Answered:
    """One method at one path."""

    method: str
    path: str
    in_path: frozenset[str]
    in_query: frozenset[str]
    """The parameters that the framework reads; pages that read a query themselves name none here."""


def control_plane(folder: Path) -> Litestar:
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    app = {
        "session_key": "k" * 64,
        "ticket_private_key": key.decode(),
        "admin_email": "admin@example.com",
        "admin_password": "long enough for one",
    }
    made = Settings.model_validate(
        {
            "public_url": "https://vivero.example",
            "security_contact": CONTACT,
            "database": {"host": "localhost", "port": 1, "password": "x"},
            "cache": {"host": "localhost", "port": 1, "password": "x"},
            "mail": {"host": "localhost"},
            "app": app,
            "kube": {"kubeconfig": _kubeconfig(folder)},
        }
    )
    return create_program(made, pages()).public


def data_plane(folder: Path) -> Litestar:
    limits = folder / "limits.json"
    limits.write_text('{"plan": "trial"}')
    made = workspace_settings()
    env = structs.replace(made.env, security_contact=CONTACT)
    return create_app(structs.replace(made, env=env, ca_file=Path(certifi.where()), limits_file=limits))


PROGRAMS: Final[Mapping[str, Callable[[Path], Litestar]]] = {"platform": control_plane, "workspace": data_plane}


def answered(app: Litestar) -> Iterator[Answered]:
    """Everything that the program answers, but for the methods that every path has."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method, (_, takes) in route.route_handler_map.items():
                if method != "OPTIONS":
                    in_query = frozenset(one.field_alias for one in takes.expected_query_params)
                    yield Answered(str(method), _template(route), frozenset(route.path_parameters), in_query)


def _template(route: HTTPRoute) -> str:
    """As people write it: without the parameters' types."""
    parts = (part if isinstance(part, str) else f"{{{part.name}}}" for part in route.path_components)
    return "/" + "/".join(parts)


def _kubeconfig(folder: Path) -> Path:
    name = {"name": "here"}
    document = {
        "current-context": "here",
        "contexts": [{**name, "context": {"cluster": "here", "user": "here"}}],
        "clusters": [{**name, "cluster": {"server": "https://localhost:1", "certificate-authority": certifi.where()}}],
        "users": [{**name, "user": {}}],
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    return path
