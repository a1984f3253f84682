"""Both web programs whole, with nothing behind them: what they do before they ask a service, they do here too."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NoReturn
from uuid import uuid4

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from litestar.security.jwt import Token
from msgspec import convert, structs
from support.authority import new_authority
from support.good import OPTIONS
from unit.control_plane.builders import tenant
from vivero_control.app import Program, create_program
from vivero_control.domain.accounts.service import ManagedWorkspaces, NoAccountSessionError, Visit
from vivero_control.domain.accounts.service import Role as AccountRole
from vivero_control.domain.accounts.sessions import COOKIE as ACCOUNT_COOKIE
from vivero_control.domain.accounts.sessions import AccountSessions, Holder
from vivero_control.domain.staff.schemas import Role as StaffRole
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.staff.service import StaffService
from vivero_control.domain.staff.sessions import SESSION_COOKIE, StaffSessions
from vivero_control.domain.staff.tokens import ALGORITHM, AUDIENCE, ISSUER, SESSION, StaffTokens
from vivero_control.settings import Settings as ControlSettings
from vivero_control.web.pages import pages
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.errors import KubeUnavailableError
from vivero_data.app import create_app
from vivero_data.domain.auth.service import AuthService
from vivero_data.domain.collections.schemas import Collection, CollectionSummary, Field
from vivero_data.domain.collections.service import CollectionService
from vivero_data.domain.favourites.service import FavouriteService
from vivero_data.domain.field_types.options import Options
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.identity.service import Identity, IdentityService
from vivero_data.domain.notation.person import PersonNotationService
from vivero_data.domain.users.schemas import Actor, Role
from vivero_data.lib.cookies import ACCESS
from vivero_data.lib.notation import UNSET, Notation
from vivero_data.lib.pages import Page
from vivero_data.settings import (
    AppSecret,
    CacheSecret,
    DatabaseSecret,
    Environment,
    Settings,
    StorageSecret,
)
from vivero_web.errors import NotSignedInError
from vivero_web.tokens import derive_key

DOMAIN = "vivero.test"
CONTACT: Final = "mailto:security@example.com"
OPERATOR = "0" * 64
LARGEST_FILE = 300_000
_KEY = "k" * 64
SOMEBODY: Final = "0b1c2d3e-4f50-4617-8a9b-0c1d2e3f4a5b"
"""An id as members of staff have."""
_STAFF = StaffView(id=str(uuid4()), email="ada@vivero.example", role="admin")
_SAME_ORIGIN = ("sec-fetch-site", "same-origin")
CONTACTS = Collection(
    1,
    "Contacts",
    "",
    tuple(
        Field(
            number,
            number,
            kind.value,
            kind,
            required=False,
            unique=False,
            exact=False,
            indexed=True,
            default=None,
            choices=("a",),
            options=convert(OPTIONS.get(kind, {}), Options),
        )
        for number, kind in enumerate(FieldType, 2)
    ),
    0,
    datetime(2026, 11, 28, tzinfo=UTC),
)
_SUMMARY: Final = CollectionSummary(
    CONTACTS.id, CONTACTS.name, CONTACTS.description, len(CONTACTS.fields), CONTACTS.records, CONTACTS.created_at
)


@dataclass(frozen=True)
class Route:
    """A method at a path."""

    method: str
    path: str
    """With placeholders: `/users/{user_id}`."""
    handler: HTTPRouteHandler

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_page(self) -> bool:
        return not self.path.startswith(("/api/", "/internal/"))


@dataclass(frozen=True, slots=True)
class Answered:
    """One method at one path."""

    method: str
    path: str
    in_path: frozenset[str]
    in_query: frozenset[str]
    """The parameters that the framework reads; pages that read a query themselves name none here."""


def routes_of(app: Litestar) -> Iterator[Route]:
    """Every one of an application, by path and method: its own order is another in each process."""
    found = (
        Route(method, route.path_format, handler)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods
    )
    return iter(sorted(found, key=lambda one: (one.path, one.method)))


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


def addresses(app: Litestar) -> Iterator[tuple[str, set[str]]]:
    """An address of every route, and the methods that it has."""
    for route in app.routes:
        parts = [
            part
            if isinstance(part, str)
            else {"int": "1", "path": "manifest.json", "uuid": SOMEBODY}.get(part.type.__name__.lower(), "x")
            for part in route.path_components
        ]
        yield "/" + "/".join(parts), {str(method) for method in getattr(route, "methods", ())}


def control_plane(folder: Path, host: str = DOMAIN) -> Program:
    """At `host`, over a database, cache and cluster that do not answer."""
    return create_program(_control_settings(folder, host), pages())


def data_plane(folder: Path) -> Litestar:
    """Over a database, cache and bucket that do not answer; its start is over, so that no probe waits for it."""
    app = create_app(_workspace_settings(folder))
    app.state.services.schema_ready.set()
    return app


PROGRAMS: Final[Mapping[str, Callable[[Path], Litestar]]] = {
    "platform": lambda folder: control_plane(folder).public,
    "workspace": data_plane,
}


def a_workspace(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Litestar:
    """A data plane; a token or session cookie is the name of its user's role."""

    async def authenticate(_: AuthService, token: str) -> Actor:
        if token not in set(Role):
            raise NotSignedInError("Log in first.")
        return Actor(1, f"{token}@example.com", "", Role(token), 1)

    async def every(*_: object) -> list[Collection]:
        return [CONTACTS]

    async def page(*_: object) -> Page[CollectionSummary]:
        return Page([_SUMMARY], None, 1)

    async def few(*_: object) -> list[CollectionSummary]:
        return [_SUMMARY]

    async def one(*_: object) -> Collection:
        return CONTACTS

    async def identity(_: IdentityService) -> Identity:
        return Identity("Acme", f"https://{DOMAIN}")

    monkeypatch.setattr(AuthService, "authenticate", authenticate)
    monkeypatch.setattr(CollectionService, "list", every)
    monkeypatch.setattr(CollectionService, "browse", page)
    monkeypatch.setattr(CollectionService, "suggest", few)
    monkeypatch.setattr(CollectionService, "get", one)

    async def notation(_: PersonNotationService, __: Actor) -> Notation:
        return UNSET

    async def none(*_: object) -> list[CollectionSummary]:
        return []

    monkeypatch.setattr(FavouriteService, "list", none)
    monkeypatch.setattr(FavouriteService, "views", none)
    monkeypatch.setattr(IdentityService, "current", identity)
    monkeypatch.setattr(PersonNotationService, "effective", notation)
    return data_plane(folder)


def a_control_plane(folder: Path, monkeypatch: pytest.MonkeyPatch, role: StaffRole = "admin") -> Litestar:
    """A control plane; its one member of staff has this role and the session `admin`, the owner of `acme` the session `owner`."""
    member = structs.replace(_STAFF, role=role)

    async def find(*_: object) -> StaffView:
        return member

    async def holder(*_: object) -> StaffView:
        return member

    async def read(_: StaffSessions, value: str | None) -> StaffView | None:
        return member if value == "admin" else None

    async def nobody(*_: object) -> NoReturn:
        raise KubeUnavailableError("kubernetes", "nobody is there")

    async def owner(_: AccountSessions, value: str | None) -> Holder | None:
        return Holder("acme", "uid-acme") if value == "owner" else None

    async def workspace(_: ManagedWorkspaces, holder: Holder | None) -> Visit:
        if holder is None:
            raise NoAccountSessionError
        return Visit(tenant=tenant(), role=AccountRole.OWNER, email=holder.email)

    monkeypatch.setattr(KubeClient, "get", nobody)
    monkeypatch.setattr(AccountSessions, "read", owner)
    monkeypatch.setattr(ManagedWorkspaces, "visit", workspace)
    monkeypatch.setattr(StaffService, "find", find)
    monkeypatch.setattr(StaffSessions, "read", read)
    monkeypatch.setattr(StaffTokens, "holder", holder)
    return control_plane(folder).public


def member(role: str) -> list[tuple[str, str]]:
    """Headers of a user of the workspace, at the API and on the pages."""
    return [("authorization", f"Bearer {role}"), ("cookie", f"{ACCESS}={role}"), _SAME_ORIGIN]


def operator() -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {OPERATOR}")]


def staff(session: str = "admin", token: str = "") -> list[tuple[str, str]]:
    """Headers of a member of staff who has the link of an owner, too, at the API and on the pages; without a token, of the one of `a_control_plane`."""
    bearer = token or _staff_token()
    cookies = f"{SESSION_COOKIE}={session}; {ACCOUNT_COOKIE}=owner"
    return [("authorization", f"Bearer {bearer}"), ("cookie", cookies), _SAME_ORIGIN]


def payment_provider() -> list[tuple[str, str]]:
    """Headers of a message that may be of now; what it says is signed by nobody."""
    return [("stripe-signature", f"t={int(datetime.now(UTC).timestamp())},v1=0")]


def _staff_token() -> str:
    now = datetime.now(UTC)
    login = {SESSION: SOMEBODY}
    token = Token(exp=now + timedelta(minutes=15), iat=now, sub=_STAFF.id, iss=ISSUER, aud=AUDIENCE, extras=login)
    return token.encode(derive_key(_KEY, "vivero-control/staff-tokens").hex(), ALGORITHM)


def _workspace_settings(folder: Path) -> Settings:
    word, key = "x", "0" * 64
    authority, limits = folder / "ca.crt", folder / "limits.json"
    authority.write_text(new_authority())
    limits.write_text('{"plan": "trial"}')
    return Settings(
        env=Environment("k3v9q2mzt1", max_file_bytes=LARGEST_FILE, security_contact=CONTACT),
        database=DatabaseSecret(word, word, "127.0.0.1", 1, word),
        cache=CacheSecret(word, word, "127.0.0.1", 1, word),
        storage=StorageSecret(word, word, "https://127.0.0.1:1", "bucket", word),
        app=AppSecret(key, key, OPERATOR),
        ca_file=authority,
        ticket_key_file=folder / "no-tickets",
        limits_file=limits,
    )


def _control_settings(folder: Path, host: str) -> ControlSettings:
    authority, kubeconfig = folder / "ca.crt", folder / "kubeconfig"
    authority.write_text(new_authority())
    cluster = {"server": "https://127.0.0.1:1", "certificate-authority": str(authority)}
    document = {
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "clusters": [{"name": "x", "cluster": cluster}],
        "users": [{"name": "x", "user": {"token": "x"}}],
    }
    kubeconfig.write_text(yaml.safe_dump(document))
    ticket_key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    nobody = {"host": "127.0.0.1", "port": 1, "password": "x"}
    return ControlSettings.model_validate(
        {
            "public_url": f"https://{host}",
            "security_contact": CONTACT,
            "database": nobody,
            "cache": nobody,
            "app": {
                "session_key": _KEY,
                "ticket_private_key": ticket_key.decode(),
                "admin_email": "ada@vivero.example",
                "admin_password": "a long enough password",
            },
            "platform": {"ca": authority},
            "mail": {"host": "127.0.0.1"},
            "billing": {"api_url": "https://127.0.0.1:1", "secret_key": _KEY, "webhook_secret": _KEY},
            "kube": {"kubeconfig": str(kubeconfig)},
            "limits": {"requests_per_minute": 1_000_000},
        }
    )
