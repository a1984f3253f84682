"""What a customer does first, step by step: signs up on the public page, waits, logs in, and works with a record."""

import asyncio
import re
import secrets
import string
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol

from vivero_control.domain.probes.web import Answer, ProbeFailedError
from vivero_control.domain.signups.people import PROBE_DOMAIN

READY_SECONDS: Final = 180.0
"""How long a signup may take before the probe has failed: a customer has left long before."""
POLL_SECONDS: Final = 1.0
BEARER: Final = "__Host-signup"
_KEY: Final = re.compile(rb'name="key" value="([0-9a-f]+)"')
_COLLECTION: Final = "probes"
_NOTE: Final = "A note of the probe"


class Step(StrEnum):
    """In their order."""

    FORM = "form"
    SIGNUP = "signup"
    READY = "ready"
    LOGIN = "login"
    CREATE = "create"
    LIST = "list"
    EXPORT = "export"
    DELETE = "delete"


class Asks(Protocol):
    """Requests, as `Web` sends them."""

    async def ask(  # noqa: PLR0913  see there
        self,
        method: str,
        path: str,
        *,
        wanted: int,
        slug: str | None = None,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: object = None,
    ) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Person:
    """Who signs up; the address cannot be anybody's."""

    mark: str = field(default_factory=lambda: secrets.token_hex(8))
    password: str = field(default_factory=lambda: "".join(secrets.choice(string.ascii_letters) for _ in range(32)))

    @property
    def email(self) -> str:
        return f"probe-{self.mark}@{PROBE_DOMAIN}"

    @property
    def company(self) -> str:
        return f"Probe {self.mark}"


class Customer:
    """One person's way from the form to an exported record; each step needs those before it."""

    def __init__(self, web: Asks, person: Person, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._web = web
        self._person = person
        self._sleep = sleep
        self._key = ""
        self._bearer = ""
        self._slug = ""
        self._token: dict[str, str] = {}
        self.signup_id: str | None = None
        """Known from the signup's answer on."""

    def steps(self) -> Mapping[Step, Callable[[], Awaitable[None]]]:
        """All but the deletion, in their order. Each raises ProbeFailedError."""
        return {
            Step.FORM: self._open_form,
            Step.SIGNUP: self._sign_up,
            Step.READY: self._wait,
            Step.LOGIN: self._log_in,
            Step.CREATE: self._create,
            Step.LIST: self._list,
            Step.EXPORT: self._export,
        }

    async def _open_form(self) -> None:
        page = await self._web.ask("GET", "/signup", wanted=200)
        found = _KEY.search(page.body)
        if found is None:
            raise ProbeFailedError("the signup page has no form")
        self._key = found[1].decode()

    async def _sign_up(self) -> None:
        typed = {"company": self._person.company, "email": self._person.email, "password": self._person.password}
        answer = await self._web.ask("POST", "/signup", wanted=303, form={**typed, "slug": "", "key": self._key})
        self.signup_id = answer.headers.get("Location", "").rpartition("/")[2]
        self._bearer = answer.cookies.get(BEARER, "")
        if not self.signup_id or not self._bearer:
            raise ProbeFailedError("the signup was taken, and its progress is nowhere")

    async def _wait(self) -> None:
        path, headers = f"/api/v1/signups/{self.signup_id}", {"Authorization": f"Bearer {self._bearer}"}
        for _ in range(int(READY_SECONDS / POLL_SECONDS)):
            view = (await self._web.ask("GET", path, wanted=200, headers=headers)).json()
            if view["state"] == "ready":
                self._slug = view["tenant"]["slug"]
                return
            if view["state"] == "failed":
                raise ProbeFailedError("the signup has failed")
            await self._sleep(POLL_SECONDS)
        raise ProbeFailedError(f"no workspace within {READY_SECONDS:.0f} s")

    async def _log_in(self) -> None:
        login = {"email": self._person.email, "password": self._person.password}
        answer = await self._in_workspace("POST", "/api/v1/auth/login", wanted=200, json=login)
        self._token = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def _create(self) -> None:
        fields = [{"name": "note", "type": "text"}]
        collection = {"name": _COLLECTION, "fields": fields}
        await self._in_workspace("POST", "/api/v1/collections", wanted=201, json=collection)
        record = {"values": {"note": _NOTE}}
        await self._in_workspace("POST", f"/api/v1/collections/{_COLLECTION}/records", wanted=201, json=record)

    async def _list(self) -> None:
        found = (await self._in_workspace("GET", f"/api/v1/collections/{_COLLECTION}/records", wanted=200)).json()
        if [one["values"]["note"] for one in found["items"]] != [_NOTE]:
            raise ProbeFailedError("the list is not what was written")

    async def _export(self) -> None:
        exported = await self._in_workspace("GET", f"/api/v1/collections/{_COLLECTION}/export", wanted=200)
        if _NOTE.encode() not in exported.body:
            raise ProbeFailedError("the export is not what was written")

    async def _in_workspace(self, method: str, path: str, *, wanted: int, json: Any = None) -> Answer:  # noqa: ANN401  JSON
        return await self._web.ask(method, path, wanted=wanted, slug=self._slug, headers=self._token, json=json)
