"""Client of a tenant's internal API: sets its name and owner, and takes the proof that its credentials work. Calls the pod itself.

The pod's address, not the Service: kube-proxy learns of a new pod up to a second later than we do.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

import aiohttp
from vivero_core.backends.connections import Connector
from vivero_core.model.base import shortened
from vivero_core.model.naming import EMAIL_MAX_LENGTH
from vivero_core.model.tenant import VERSION_MAX_LENGTH
from vivero_core.tracing.spans import Kind, outgoing, span

from vivero_operator.errors import DataPlaneRefusedError, DataPlaneUnavailableError
from vivero_operator.instance import APP_PORT

SYSTEM: Final = "data plane"
REQUEST_SECONDS: Final = 10.0
ANSWER_BYTES: Final = 64 * 1024
"""A pod that answers with more says nothing."""
_OK: Final = (200, 201)
_REFUSED: Final = (400, 409, 422)
_REASON_LIMIT: Final = 500
_ASPECTS: Final = ("database", "storage", "cache")


@dataclass(frozen=True)
class Workspace:
    """A workspace's identity: name and address."""

    name: str
    public_url: str


@dataclass(frozen=True)
class Proof:
    """What the tenant says about its own credentials."""

    ok: bool
    version: str | None
    failing: tuple[str, ...]
    """Which of database, storage and cache do not work."""
    workspace: Workspace | None = None
    """Who it believes to be."""


@dataclass(frozen=True)
class Owner:
    """Whose workspace it is to be."""

    email: str
    name: str
    """For an account that is made now."""
    password_hash: str | None = field(repr=False)
    """An argon2id PHC string to log in with from now on; None leaves the password as it is."""
    replaces: str | None
    """Address of the owner's account that is known: it gets the new address."""


class DataPlaneClient:
    """Talks to tenants' pods; use it as an async context manager."""

    def __init__(self, timeout: float = REQUEST_SECONDS) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=3)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # Pods come and go: no connection is kept.
        self._session = aiohttp.ClientSession(connector=Connector(limit=40, force_close=True))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session:
            await self._session.close()
            self._session = None

    async def put_workspace(self, address: str, token: str, workspace: Workspace, owner: Owner | None) -> str | None:
        """Set the workspace's identity and owner; returns the e-mail of the current owner's account, if any.

        Raises:
            DataPlaneRefusedError: it rejected the workspace or the owner.
        """
        body = {"name": workspace.name, "public_url": workspace.public_url, "owner": asdict(owner) if owner else None}
        status, answer = await self._request("PUT", address, "/internal/v1/workspace", token, body)
        if status in _REFUSED:
            raise DataPlaneRefusedError(SYSTEM, f"workspace and owner were rejected: {_reason(answer, status)}")
        if status not in _OK:
            raise DataPlaneUnavailableError(SYSTEM, f"PUT /internal/v1/workspace returned status {status}")
        account = answer.get("owner")
        return _text(account.get("email"), EMAIL_MAX_LENGTH) if isinstance(account, dict) else None

    async def proof(self, address: str, token: str, neighbour: str | None) -> Proof:
        """What works, as the tenant's pod sees it, with the tenant's credentials; and is refused at a neighbour's."""
        path = "/internal/v1/proof" + (f"?neighbour={neighbour}" if neighbour else "")
        status, body = await self._request("GET", address, path, token)
        if status not in (200, 503):
            raise DataPlaneUnavailableError(SYSTEM, f"GET /internal/v1/proof returned status {status}")
        failing = tuple(name for name in _ASPECTS if not _is_ok(body.get(name)))
        return Proof(
            ok=bool(body.get("ok")) and not failing,
            version=_text(body.get("version"), VERSION_MAX_LENGTH),
            failing=failing,
            workspace=_workspace(body.get("workspace")),
        )

    async def _request(
        self, method: str, address: str, path: str, token: str, body: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        if self._session is None:
            raise DataPlaneUnavailableError(SYSTEM, "the client is closed")
        url = f"http://[{address}]:{APP_PORT}{path}" if ":" in address else f"http://{address}:{APP_PORT}{path}"
        try:
            with span(f"{method} {path.partition('?')[0]}", Kind.CLIENT):
                headers = {"Authorization": f"Bearer {token}", **outgoing()}
                async with self._session.request(
                    method, url, json=body, headers=headers, timeout=self._timeout, allow_redirects=False
                ) as response:
                    return response.status, await _json(response)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DataPlaneUnavailableError(SYSTEM, f"no response from the pod ({type(error).__name__})") from error


async def _json(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """The JSON object of an answer; empty when it is none, or too long: what runs in a pod may be anything."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(ANSWER_BYTES):
        body += chunk
        if len(body) > ANSWER_BYTES:
            response.close()
            return {}
    try:
        parsed = json.loads(bytes(body))
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _text(value: object, limit: int) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= limit else None


def _reason(problem: dict[str, Any], status: int) -> str:
    """What a problem document says, its fields first."""
    errors = problem.get("errors")
    listed = [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    fields = "; ".join(f"{one.get('field')} {one.get('message')}" for one in listed)
    return shortened(fields or str(problem.get("detail") or f"status {status}"), _REASON_LIMIT)


def _workspace(part: object) -> Workspace | None:
    if not isinstance(part, dict):
        return None
    return Workspace(str(part.get("name")), str(part.get("public_url")))


def _is_ok(part: object) -> bool:
    return isinstance(part, dict) and part.get("ok") is True
