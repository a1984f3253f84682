"""A probe's way as a customer, step by step, and what is told of workspaces whose image changes."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession
from unit.control_plane.builders import NOW, tenant_body
from vivero_control.domain.notifications import mails
from vivero_control.domain.probes import releases
from vivero_control.domain.probes.customer import READY_SECONDS, Customer, Person, Step
from vivero_control.domain.probes.releases import SETTLES_IN, WATCHED_FOR, ReleaseTask
from vivero_control.domain.probes.web import Answer, ProbeFailedError
from vivero_control.domain.signups.people import company_domain, is_disposable, is_probe
from vivero_core.model.tenant import Tenant
from vivero_web.text import email_problem, password_problem

PERSON = Person("00ff" * 4, "a-long-and-unusual-password")
PAGE = b'<form><input type="hidden" name="key" value="0123abcd"></form>'
RECORDS = "/api/v1/collections/probes/records"


class Site:
    """A platform that works, but for what `wrong` answers instead."""

    def __init__(self, **wrong: Any) -> None:  # noqa: ANN401  bodies
        self.wrong = wrong
        self.asked: list[tuple[str, str, str | None]] = []
        self.forms: list[Mapping[str, str]] = []
        self.waits = 2

    async def ask(
        self,
        method: str,
        path: str,
        *,
        wanted: int,
        slug: str | None = None,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: object = None,
    ) -> Answer:
        del headers, json
        self.asked.append((method, path, slug))
        if form is not None:
            self.forms.append(form)
        found = self._answer(method, path)
        if found.status != wanted:
            raise ProbeFailedError(f"answered {found.status}")
        return found

    def _answer(self, method: str, path: str) -> Answer:
        wrong = self.wrong
        if path == "/api/v1/signups/1a2b":
            self.waits -= 1
        state = wrong.get("ready", "provisioning" if self.waits else "ready")
        answers = {
            "GET /signup": _answer(200, wrong.get("form", PAGE)),
            "POST /signup": Answer(
                303, {"Location": "/signup/1a2b"}, wrong.get("signup", {"__Host-signup": "bearer"}), b""
            ),
            "GET /api/v1/signups/1a2b": _answer(200, {"state": state, "tenant": {"slug": "probe-1"}}),
            "POST /api/v1/auth/login": _answer(wrong.get("login", 200), {"access_token": "token"}),
            "POST /api/v1/collections": _answer(wrong.get("create", 201), {}),
            f"POST {RECORDS}": _answer(201, {}),
            f"GET {RECORDS}": _answer(200, {"items": [{"values": {"note": wrong.get("list", "A note of the probe")}}]}),
            "GET /api/v1/collections/probes/export": _answer(
                200, wrong.get("export", b"note\r\nA note of the probe\r\n")
            ),
        }
        return answers[f"{method} {path}"]


def _answer(status: int, body: Any) -> Answer:  # noqa: ANN401  bytes, or what is JSON
    return Answer(status, {}, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


async def at_once(_: float) -> None:
    """No wait."""


async def walk(site: Site) -> Customer:
    customer = Customer(site, PERSON, at_once)
    for step in customer.steps().values():
        await step()
    return customer


async def test_it_goes_a_customers_way() -> None:
    site = Site()
    customer = await walk(site)
    assert customer.signup_id == "1a2b"
    assert site.asked == [
        ("GET", "/signup", None),
        ("POST", "/signup", None),
        ("GET", "/api/v1/signups/1a2b", None),
        ("GET", "/api/v1/signups/1a2b", None),
        ("POST", "/api/v1/auth/login", "probe-1"),
        ("POST", "/api/v1/collections", "probe-1"),
        ("POST", RECORDS, "probe-1"),
        ("GET", RECORDS, "probe-1"),
        ("GET", "/api/v1/collections/probes/export", "probe-1"),
    ]
    assert site.forms[0]["key"] == "0123abcd"
    assert [*customer.steps(), Step.DELETE] == [*Step]


@pytest.mark.parametrize(
    ("step", "wrong"),
    [
        (Step.FORM, b"<h1>Nothing here</h1>"),
        (Step.SIGNUP, {}),
        (Step.READY, "failed"),
        (Step.READY, "provisioning"),
        (Step.LOGIN, 401),
        (Step.CREATE, 500),
        (Step.LIST, "another note"),
        (Step.EXPORT, b"note\r\n"),
    ],
)
async def test_each_step_fails_by_itself(step: Step, wrong: object) -> None:
    customer = Customer(Site(**{step: wrong}), PERSON, at_once)
    for name, take in customer.steps().items():
        if name is step:
            with pytest.raises(ProbeFailedError):
                await take()
            return
        await take()


async def test_a_workspace_that_never_comes_is_not_waited_for_without_end() -> None:
    site = Site(ready="provisioning")
    with pytest.raises(ProbeFailedError, match=f"within {READY_SECONDS:.0f} s"):
        await walk(site)


def test_its_address_is_good_and_nobodys() -> None:
    person = Person()
    assert email_problem(person.email) is None
    assert password_problem(person.password, email=person.email, company=person.company) is None
    assert is_probe(person.email)
    assert not is_disposable(person.email)
    assert Person().email != person.email


@given(st.emails())
def test_no_address_of_a_person_is_a_probes(email: str) -> None:
    assert is_probe(email) == (email.lower().rpartition("@")[2] == "probe.invalid")


def test_a_name_that_only_ends_alike_is_another() -> None:
    assert not is_probe("ada@not-probe.invalid")
    assert not is_probe("ada@a.probe.invalid")
    assert is_probe("Probe-1@PROBE.invalid")
    assert company_domain("ada@example.com") == "example.com"


async def test_a_probe_is_sent_no_mail() -> None:
    for to, written in ((PERSON.email, 0), ("ada@example.com", 1)):
        session = cast("AsyncSession", Session())
        await mails.enqueue(session, mails.your_workspaces(UUID(int=1), to=to, urls=[]), NOW)
        assert cast("Session", session).statements == written


class Session:
    """Counts what is written."""

    def __init__(self) -> None:
        self.statements = 0

    async def execute(self, _: object) -> None:
        self.statements += 1


def workspace(number: int, release: str, **spec: Any) -> Tenant:  # noqa: ANN401  as tenant_body
    body = tenant_body(f"t{number}", **spec)
    body["metadata"]["uid"] = f"00000000-0000-0000-0000-{number:012}"
    body["status"] |= {"provenAt": NOW.isoformat(), "release": release}
    return Tenant.parse(body)


class World:
    """Workspaces, by number: their release, and whether they answer."""

    def __init__(self, **releases: str) -> None:
        self.now = NOW
        self.releases = releases
        self.silent: set[str] = set()
        self.asked: list[str] = []
        self.suspended: set[str] = set()
        self.task = ReleaseTask(self, self.ask, lambda: self.now)

    async def all(self) -> list[Tenant]:
        return [
            workspace(int(name[1:]), release, **({"suspended": {"reason": "Unpaid"}} if name in self.suspended else {}))
            for name, release in self.releases.items()
        ]

    async def ask(self, slug: str, tenant_id: str) -> bool:
        del tenant_id
        self.asked.append(slug)
        return slug not in self.silent

    async def after(self, later: timedelta) -> dict[str, float]:
        self.now += later
        await self.task.run()
        return {answer: releases.changed.labels(answer)._value.get() for answer in ("true", "false")}  # noqa: SLF001  as its own tests do


NONE = {"true": 0.0, "false": 0.0}
MINUTE = timedelta(minutes=1)


async def test_who_answered_before_and_not_behind_a_change_is_told_of() -> None:
    world = World(t1="old", t2="old", t3="old")
    world.silent = {"t3"}
    assert await world.after(MINUTE) == NONE
    world.releases = {"t1": "new", "t2": "new", "t3": "new"}
    world.silent = {"t2", "t3"}
    assert await world.after(MINUTE) == NONE, "their pods may be starting"
    assert await world.after(SETTLES_IN) == {"true": 1.0, "false": 1.0}, "the third was silent before as well"
    world.silent = set()
    assert await world.after(MINUTE) == {"true": 2.0, "false": 0.0}
    assert await world.after(WATCHED_FOR) == NONE


async def test_what_is_closed_or_gone_is_not_asked() -> None:
    world = World(t1="old", t2="old")
    await world.after(MINUTE)
    world.releases = {"t1": "new"}
    world.suspended = {"t1"}
    world.asked.clear()
    assert await world.after(MINUTE) == NONE
    assert await world.after(SETTLES_IN) == NONE
    assert world.asked == []


async def test_some_are_asked_and_those_that_changed_come_first() -> None:
    world = World(**{f"t{number}": "old" for number in range(60)})
    await world.after(MINUTE)
    assert len(set(world.asked)) == releases.ASKED
    first = set(world.asked)
    world.releases = dict.fromkeys(world.releases, "new")
    await world.after(MINUTE)
    world.asked.clear()
    await world.after(SETTLES_IN)
    assert first <= set(world.asked)
    assert len(set(world.asked)) <= 2 * releases.ASKED
