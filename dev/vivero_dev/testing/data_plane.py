"""What a tenant's pod is to the operator, for tests and benchmarks without real pods: its internal API, for all tenants."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from aiohttp import web

VERSION = "0.0.0-tests"


@dataclass
class Told:
    """What a tenant was told by the operator."""

    name: str | None = None
    public_url: str | None = None
    accounts: list[str] = field(default_factory=list)
    """Mail addresses in the order in which accounts were made."""


@dataclass
class DataPlane:
    """Answers for every tenant; its operator token tells which."""

    tenants: dict[str, Told] = field(default_factory=dict)

    def _of(self, request: web.Request) -> Told:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return self.tenants.setdefault(token, Told())

    async def put_workspace(self, request: web.Request) -> web.Response:
        told, body = self._of(request), await request.json()
        told.name, told.public_url = body["name"], body["public_url"]
        owner = body["owner"]
        new = owner is not None and owner["email"] not in told.accounts
        if new:
            told.accounts.append(owner["email"])
        return web.Response(status=201 if new else 200)

    async def proof(self, request: web.Request) -> web.Response:
        told = self._of(request)
        aspects = {name: {"ok": True} for name in ("database", "storage", "cache")}
        workspace = {"name": told.name, "public_url": told.public_url} if told.name else None
        return web.json_response({"ok": True, "version": VERSION, "workspace": workspace, **aspects})


@contextlib.asynccontextmanager
async def answering(address: str, port: int) -> AsyncIterator[DataPlane]:
    """The data plane of all tenants, at an address of this machine."""
    data_plane = DataPlane()
    app = web.Application()
    app.add_routes(
        [
            web.put("/internal/v1/workspace", data_plane.put_workspace),
            web.get("/internal/v1/proof", data_plane.proof),
        ]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, address, port).start()
        yield data_plane
    finally:
        await runner.cleanup()
