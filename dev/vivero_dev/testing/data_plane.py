"""What a tenant's pod is to the operator, for tests and benchmarks without real pods: its internal API, for all tenants.

It answers as `data_plane/vivero_data/domain/{workspace,owner}` do, as far as the operator can see.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

VERSION: Final = "0.0.0-tests"
ASPECTS: Final = ("database", "storage", "cache")
_PHC: Final = "$argon2id$v=19$"

Works = Mapping[str, bool]
"""Aspect -> whether the tenant's credentials work on it."""


@dataclass
class Told:
    """What a tenant was told by the operator."""

    name: str | None = None
    public_url: str | None = None
    accounts: dict[str, str] = field(default_factory=dict)
    """Password hash by mail address, in the order in which the accounts were made; all are owners."""

    def carry_out(self, owner: Mapping[str, Any]) -> dict[str, Any] | None:
        """Make the address an owner's: its own account, else that of `replaces`, else a new one if a hash is given."""
        email, given, replaced = owner["email"].lower(), owner["password_hash"], owner["replaces"]
        present = email if email in self.accounts else replaced and replaced.lower()
        if present in self.accounts:
            return self._align(present, email, given)
        if given is None:
            return self.first()
        self.accounts[email] = given
        return _state(email, created=True)

    def first(self) -> dict[str, Any] | None:
        """The first owner; None when there is none."""
        return _state(next(iter(self.accounts))) if self.accounts else None

    def _align(self, before: str, email: str, given: str | None) -> dict[str, Any]:
        stored = self.accounts[before]
        wanted = given or stored
        self.accounts = {email if one == before else one: its for one, its in self.accounts.items()}
        self.accounts[email] = wanted
        return _state(email, changed=(before, stored) != (email, wanted))


def _state(email: str, *, created: bool = False, changed: bool = False) -> dict[str, Any]:
    return {"email": email, "created": created, "changed": changed}


async def _everything_works(_: str) -> Works:
    return dict.fromkeys(ASPECTS, True)


@dataclass
class DataPlane:
    """Answers for every tenant; its operator token tells which."""

    tenants: dict[str, Told] = field(default_factory=dict)
    """By what `identify` makes of a token."""
    identify: Callable[[str], str | None] = lambda token: token
    """Whose pods have this token; None when no pod has it."""
    works: Callable[[str], Awaitable[Works]] = _everything_works
    """What those pods can reach with the credentials that they started with."""

    def _of(self, request: web.Request) -> str:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        whose = self.identify(token)
        if whose is None:
            raise web.HTTPUnauthorized
        return whose

    async def put_workspace(self, request: web.Request) -> web.Response:
        told, body = self.tenants.setdefault(self._of(request), Told()), await request.json()
        owner = body["owner"]
        if owner is not None and owner["password_hash"] is not None and not owner["password_hash"].startswith(_PHC):
            fault = {"field": "owner.password_hash", "message": "must be an argon2id PHC string"}
            return web.json_response({"title": "Invalid input", "status": 422, "errors": [fault]}, status=422)
        told.name, told.public_url = body["name"], body["public_url"]
        state = told.carry_out(owner) if owner is not None else told.first()
        made = state is not None and state["created"]
        return web.json_response({"workspace": _workspace(told), "owner": state}, status=201 if made else 200)

    async def proof(self, request: web.Request) -> web.Response:
        whose = self._of(request)
        told, works = self.tenants.setdefault(whose, Told()), await self.works(whose)
        aspects = {name: {"ok": works[name]} for name in ASPECTS}
        answer = {"ok": all(works.values()), "version": VERSION, "workspace": _workspace(told), **aspects}
        return web.json_response(answer, status=200 if answer["ok"] else 503)


def _workspace(told: Told) -> dict[str, Any] | None:
    return {"name": told.name, "public_url": told.public_url} if told.name else None


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
