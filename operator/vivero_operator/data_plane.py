"""A tenant's own internal API: who it is and who owns it, and the proof that its credentials work. Called on the pod itself.

The pod's address, not the Service: kube-proxy learns of a new pod up to a second later than we do.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import aiohttp

from vivero_operator.errors import DataPlaneUnavailableError
from vivero_operator.instance import APP_PORT

SYSTEM: Final = "data plane"
REQUEST_SECONDS: Final = 10.0
_OK: Final = (200, 201)
_ASPECTS: Final = ("database", "storage", "cache")


@dataclass(frozen=True)
class Workspace:
    """Who a tenant is to its users."""

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
    """The account to create; the hash is an argon2id PHC string."""

    email: str
    name: str
    password_hash: str


class DataPlaneClient:
    """Talks to tenants' pods; use it as an async context manager."""

    def __init__(self, timeout: float = REQUEST_SECONDS) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=3)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # Pods come and go: no connection is kept.
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=40, force_close=True))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session:
            await self._session.close()
            self._session = None

    async def put_workspace(self, address: str, token: str, workspace: Workspace, owner: Owner | None) -> bool:
        """Tell the tenant who it is; True when the owner's account was created now, False when it was there."""
        body = {"name": workspace.name, "public_url": workspace.public_url, "owner": asdict(owner) if owner else None}
        status, _ = await self._request("PUT", address, "/internal/v1/workspace", token, body)
        if status not in _OK:
            raise DataPlaneUnavailableError(SYSTEM, f"name and owner were refused with status {status}")
        return status == _OK[1]

    async def proof(self, address: str, token: str, neighbour: str | None) -> Proof:
        """What works, as the tenant's pod sees it, with the tenant's credentials; and is refused at a neighbour's."""
        path = "/internal/v1/proof" + (f"?neighbour={neighbour}" if neighbour else "")
        status, body = await self._request("GET", address, path, token)
        if status not in (200, 503):
            raise DataPlaneUnavailableError(SYSTEM, f"the proof answered with status {status}")
        failing = tuple(name for name in _ASPECTS if not _is_ok(body.get(name)))
        version = body.get("version")
        return Proof(
            ok=bool(body.get("ok")) and not failing,
            version=str(version) if version else None,
            failing=failing,
            workspace=_workspace(body.get("workspace")),
        )

    async def _request(
        self, method: str, address: str, path: str, token: str, body: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        if self._session is None:
            raise DataPlaneUnavailableError(SYSTEM, "the client is closed")
        url = f"http://[{address}]:{APP_PORT}{path}" if ":" in address else f"http://{address}:{APP_PORT}{path}"
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with self._session.request(
                method, url, json=body, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as response:
                return response.status, await _json(response)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DataPlaneUnavailableError(SYSTEM, f"no answer from the pod ({type(error).__name__})") from error


async def _json(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """The JSON object of an answer; empty when it is none."""
    try:
        parsed = await response.json(content_type=None)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _workspace(part: object) -> Workspace | None:
    if not isinstance(part, dict):
        return None
    return Workspace(str(part.get("name")), str(part.get("public_url")))


def _is_ok(part: object) -> bool:
    return isinstance(part, dict) and part.get("ok") is True
