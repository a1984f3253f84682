"""Both web programs with all their routes and nothing behind them: what they say of themselves needs no service."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from litestar import Litestar
from litestar.routes import HTTPRoute
from vivero_control.app import Program, create_program
from vivero_control.settings import Settings as ControlSettings
from vivero_control.web.pages import pages
from vivero_data.app import create_app
from vivero_data.settings import AppSecret, CacheSecret, DatabaseSecret, Environment, Settings, StorageSecret
from vivero_dev.certificates import Authority

NOWHERE = "127.0.0.1"
CLOSED = 1
"""A port that nobody listens on."""
CONTACT: Final = "mailto:security@example.com"
_KEY = "0" * 64
_HOST = "vivero.example"


def control_plane(folder: Path, host: str) -> Program:
    """At `host`, over a database, cache and cluster that do not answer."""
    certificate = Authority(folder / "authority").ensure()
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    login = {"username": "x", "password": "x"}
    cluster = {"server": f"https://{NOWHERE}:{CLOSED}", "certificate-authority": str(certificate)}
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(
        yaml.safe_dump(
            {
                "current-context": "x",
                "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
                "clusters": [{"name": "x", "cluster": cluster}],
                "users": [{"name": "x", "user": {"token": "x"}}],
            }
        )
    )
    settings = ControlSettings.model_validate(
        {
            "public_url": f"https://{host}",
            "security_contact": CONTACT,
            "database": {"host": NOWHERE, "port": CLOSED, **login},
            "cache": {"host": NOWHERE, "port": CLOSED, **login},
            "app": {
                "session_key": _KEY,
                "ticket_private_key": key,
                "admin_email": "admin@example.com",
                "admin_password": "blue kettle 9 moon",
            },
            "platform": {"ca": str(certificate)},
            "mail": {"host": NOWHERE},
            "kube": {"kubeconfig": str(kubeconfig)},
            "limits": {"requests_per_minute": 100_000},
        }
    )
    return create_program(settings, pages())


def data_plane(folder: Path) -> Litestar:
    """Over a database, cache and bucket that do not answer."""
    limits = folder / "limits.json"
    limits.write_text('{"plan": "trial"}')
    return create_app(
        Settings(
            env=Environment("abcdefghij", security_contact=CONTACT),
            database=DatabaseSecret("x", "x", NOWHERE, CLOSED, "x"),
            cache=CacheSecret("x", "x", NOWHERE, CLOSED, "x:"),
            storage=StorageSecret("x", "x", f"https://{NOWHERE}:{CLOSED}", "bucket", "x"),
            app=AppSecret(_KEY, _KEY, _KEY),
            ca_file=Authority(folder / "authority").ensure(),
            ticket_key_file=folder / "ticket.pub",
            limits_file=limits,
        )
    )


def addresses(app: Litestar) -> Iterator[tuple[str, set[str]]]:
    """An address of every route, and the methods that it has."""
    for route in app.routes:
        parts = [
            part
            if isinstance(part, str)
            else {"int": "1", "path": "manifest.json"}.get(part.type.__name__.lower(), "x")
            for part in route.path_components
        ]
        yield "/" + "/".join(parts), {str(method) for method in getattr(route, "methods", ())}


@dataclass(frozen=True, slots=True)
class Answered:
    """One method at one path."""

    method: str
    path: str
    in_path: frozenset[str]
    in_query: frozenset[str]
    """The parameters that the framework reads; pages that read a query themselves name none here."""


PROGRAMS: Final[Mapping[str, Callable[[Path], Litestar]]] = {
    "platform": lambda folder: control_plane(folder, _HOST).public,
    "workspace": data_plane,
}


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
