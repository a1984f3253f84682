"""Reports by e-mail on real services and a real mail server: once a period, to who may see them, until it is stopped."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from integration.data_plane.test_jobs import sql
from integration.data_plane.test_links import Post, sink, somebody
from integration.data_plane.workspace import PASSWORD, Workspace
from vivero_data.clients.mail import Mailer
from vivero_data.domain.jobs import repository as jobs
from vivero_data.domain.jobs.repository import Attempt
from vivero_data.domain.jobs.task import JobLostError, TaskContext, actor_of
from vivero_data.domain.limits import service as limits
from vivero_data.domain.report_mails.delivery import ReportMailDelivery
from vivero_data.domain.report_mails.job import SendReport
from vivero_data.lib.json import decode
from vivero_web import clock
from vivero_web.errors import UnavailableError
from vivero_web.mail import Mail, MailRefusedError, MailServerUnavailableError

__all__ = ("sink",)
SCHEDULES = "/api/v1/report-schedules"
ONE_CLICK = {"content-type": "application/x-www-form-urlencoded"}


class Mails:
    """A workspace with a report and a schedule of it, whose loop and jobs a test runs itself."""

    def __init__(self, workspace: Workspace, post: Post, owner: dict[str, str]) -> None:
        self.workspace, self.post, self.owner = workspace, post, owner
        self.client = workspace.client
        self.services = workspace.app.state.services

    async def schedule(self, *recipients: str, **changes: object) -> Any:  # noqa: ANN401  a JSON body
        body = {"subject": "report", "subject_id": 1, "recipients": recipients, "every": "day", **changes}
        answer = await self.client.post(SCHEDULES, json=body, headers=self.owner)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def begin(self, periods: int = 1) -> list[bool]:
        """The first period is due now; several pods look for it at once."""
        await sql(self.workspace, "UPDATE report_schedules SET next_at = CURRENT_TIMESTAMP(6) - INTERVAL 1 SECOND")
        loops = [ReportMailDelivery(self.services.database, asyncio.Event()) for _ in range(periods)]
        return list(await asyncio.gather(*(loop.once() for loop in loops)))

    async def claim(self) -> Attempt | None:
        await sql(self.workspace, "UPDATE jobs SET due_at = CURRENT_TIMESTAMP(6)")
        async with self.services.database.transaction() as tx:
            return await jobs.claim(tx)

    async def run(self, attempt: Attempt) -> None:
        async with self.services.database.read() as connection:
            found = await connection.fetch_one("SELECT work FROM jobs WHERE id = %s", attempt.job_id)
            actor = await actor_of(connection, 1)
        assert found is not None
        work = decode(found[0])
        due_at = datetime.fromisoformat(work["due_at"])
        context = TaskContext(
            attempt,
            actor,
            self.services.database,
            self.services.files,
            self.services.limits,
            self.services.anchors,
            self.services.settings,
        )
        await SendReport(work["schedule_id"], due_at).run(context)

    async def send(self) -> None:
        assert await self.begin() == [True]
        attempt = await self.claim()
        assert attempt is not None
        await self.run(attempt)

    async def history(self, number: int) -> list[tuple[str, str, str]]:
        items = (await self.client.get(f"{SCHEDULES}/{number}/sendings", headers=self.owner)).json()["items"]
        return [(one["recipient"], one["state"], one["problem"]) for one in items]


@pytest.fixture
async def mails(
    no_runner: None,
    new_workspace: Callable[[], Awaitable[Workspace]],
    platform: dict[str, Any],
    sink: httpx.AsyncClient,
) -> Mails:
    assert no_runner is None
    workspace = await new_workspace()
    owner = await workspace.login()
    folder = workspace.folder / "mail"
    folder.mkdir()
    files = {"host": "127.0.0.1", "port": str(platform["mail"]["smtp_port"]), "sender": "Vivero <t@vivero.example>"}
    for name, content in files.items():
        (folder / name).write_text(content)
    await workspace.collection(owner, {"name": "City", "type": "text"}, {"name": "Amount", "type": "number"})
    rows = [{"values": {"City": city, "Amount": 1000.5}} for city in ("Köln", "Köln", "<b>Ulm")]
    await workspace.client.post("/api/v1/collections/Contacts/records/batch", json={"create": rows}, headers=owner)
    measured = [{"function": "sum", "field": "Amount"}]
    report = {"name": "Sales", "collection": "Contacts", "group_by": [{"field": "City"}], "measures": measured}
    assert (await workspace.client.post("/api/v1/reports", json=report, headers=owner)).status_code == 201
    return Mails(workspace, Post(workspace, sink), owner)


async def member(mails: Mails) -> str:
    email = somebody()
    await mails.workspace.user(mails.owner, "viewer", email)
    return email


async def test_a_period_is_mailed_once_however_many_look_for_it(mails: Mails) -> None:
    email = await member(mails)
    made = await mails.schedule(email)
    assert sorted(await mails.begin(4)) == [False, False, False, True]
    attempt = await mails.claim()
    assert attempt is not None
    assert await mails.claim() is None
    await mails.run(attempt)
    text = await mails.post.wait_for(email)
    assert "Köln" in text
    assert "001.0" in text
    (mail,) = await mails.post.mails(email)
    assert mail["subject"] == "Sales"
    assert "&lt;b&gt;Ulm" in mail["html"]
    assert await mails.history(made["id"]) == [(email, "sent", "")]
    now = (await mails.client.get(f"{SCHEDULES}/{made['id']}", headers=mails.owner)).json()
    assert datetime.fromisoformat(now["next_at"]) > clock.now()


async def test_an_attempt_that_died_is_gone_on_with(mails: Mails, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has the mail gets it no second time; the server that was away is asked again."""
    first, second = sorted([await member(mails), await member(mails)])
    made = await mails.schedule(first, second)
    await mails.begin()
    attempt = await mails.claim()
    assert attempt is not None
    sent = Mailer.send

    async def flaky(self: Mailer, mail: Mail) -> bool:
        if mail.to == second:
            raise MailServerUnavailableError("The mail server does not answer.")
        return await sent(self, mail)

    with monkeypatch.context() as patch:
        patch.setattr(Mailer, "send", flaky)
        with pytest.raises(UnavailableError, match="1 of 2"):
            await mails.run(attempt)
    assert (second, "failed", "The mail server does not answer.") in await mails.history(made["id"])
    async with mails.services.database.read() as connection:
        assert await jobs.fail(connection, attempt, "later", for_good=False)
    again = await mails.claim()
    assert again is not None
    with pytest.raises(JobLostError):  # what was taken for dead sends nothing
        await mails.run(attempt)
    assert await mails.post.mails(second) == []
    await mails.run(again)
    await mails.post.wait_for(second)
    assert [len(await mails.post.mails(one)) for one in (first, second)] == [1, 1]
    assert {state for _, state, _ in await mails.history(made["id"])} == {"sent"}


async def test_rights_are_those_of_the_moment(mails: Mails) -> None:
    email = await member(mails)
    made = await mails.schedule(email)
    answer = await mails.client.patch("/api/v1/reports/1", json={"shared": False}, headers=mails.owner)
    assert answer.status_code == 200
    await mails.send()
    assert await mails.history(made["id"]) == [(email, "skipped", "There is no such report.")]
    await mails.client.patch("/api/v1/reports/1", json={"shared": True}, headers=mails.owner)
    users = (await mails.client.get("/api/v1/users", headers=mails.owner)).json()["items"]
    number = next(user["id"] for user in users if user["email"] == email)
    await mails.client.patch(f"/api/v1/users/{number}", json={"active": False}, headers=mails.owner)
    await mails.send()
    (state, why) = (await mails.history(made["id"]))[0][1:]
    assert state == "skipped"
    assert "may not log in" in why
    assert await mails.post.mails(email) == []


async def test_one_click_stops_it_for_one_person(mails: Mails) -> None:
    first, second = await member(mails), await member(mails)
    made = await mails.schedule(first, second)
    await mails.send()
    text = await mails.post.wait_for(first)
    link = next(line for line in text.splitlines() if "/stop-mails/" in line)
    at = "/stop-mails/" + link.partition("/stop-mails/")[2]
    page = await mails.client.get(at)
    assert "Sales" in page.text
    assert len((await mails.client.get(f"{SCHEDULES}/{made['id']}", headers=mails.owner)).json()["recipients"]) == 2
    for _ in range(2):
        answer = await mails.client.post(at, content="List-Unsubscribe=One-Click", headers=ONE_CLICK)
        assert answer.is_success, answer.text
    left = (await mails.client.get(f"{SCHEDULES}/{made['id']}", headers=mails.owner)).json()["recipients"]
    assert left == [second]
    assert (await mails.client.post(at[:-2] + "AA", headers=ONE_CLICK)).status_code == 404
    await mails.send()
    await mails.post.wait_for(second, 2)
    assert len(await mails.post.mails(first)) == 1


@pytest.mark.parametrize("ending", ["report", "owner"])
async def test_what_is_gone_ends_it(mails: Mails, ending: str) -> None:
    email = await member(mails)
    made = await mails.schedule(email)
    if ending == "report":
        assert (await mails.client.delete("/api/v1/reports/1", headers=mails.owner)).status_code == 204
    else:
        await sql(mails.workspace, "UPDATE report_schedules SET owner_id = 999")
    assert await mails.begin() == [True]
    assert await mails.claim() is None
    now = (await mails.client.get(f"{SCHEDULES}/{made['id']}", headers=mails.owner)).json()
    assert (now["active"], now["next_at"]) == (False, None)
    assert now["ended"] == ("The report was deleted." if ending == "report" else "Who made it may not log in any more.")
    assert await mails.begin() == [False]


async def test_a_mail_that_is_refused_is_told_and_stops_nobody_elses(
    mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await member(mails), await member(mails)
    made = await mails.schedule(first, second)
    sent = Mailer.send

    async def refuse(self: Mailer, mail: Mail) -> bool:
        if mail.to == first:
            raise MailRefusedError("the mail server refuses it (550)")
        return await sent(self, mail)

    monkeypatch.setattr(Mailer, "send", refuse)
    await mails.send()
    await mails.post.wait_for(second)
    assert sorted(await mails.history(made["id"])) == sorted(
        [(first, "failed", "the mail server refuses it (550)"), (second, "sent", "")]
    )


async def test_periods_without_a_pod_are_one_mail(mails: Mails) -> None:
    email = await member(mails)
    await mails.schedule(email)
    await sql(mails.workspace, "UPDATE report_schedules SET next_at = CURRENT_TIMESTAMP(6) - INTERVAL 9 DAY")
    loop = ReportMailDelivery(mails.services.database, asyncio.Event())
    assert [await loop.once(), await loop.once()] == [True, False]


async def test_it_is_paused_changed_and_deleted(mails: Mails) -> None:
    email = await member(mails)
    made = await mails.schedule(email)
    at = f"{SCHEDULES}/{made['id']}"
    answer = await mails.client.patch(at, json={"active": False}, headers=mails.owner)
    assert answer.json()["next_at"] is None
    assert await mails.begin() == [False]
    changed = {"active": True, "every": "week", "weekday": 4, "hour": 18, "recipients": ["owner@example.com"]}
    now = (await mails.client.patch(at, json=changed, headers=mails.owner)).json()
    assert {name: now[name] for name in changed} == changed
    moment = datetime.fromisoformat(now["next_at"])
    assert (moment.weekday(), moment.hour) == (4, 18)
    assert moment - clock.now() <= timedelta(days=7)
    viewer = await mails.workspace.login(email, PASSWORD)
    assert (await mails.client.get(at, headers=viewer)).status_code == 404  # gets it no more
    assert (await mails.client.delete(at, headers=viewer)).status_code == 403
    assert (await mails.client.delete(at, headers=mails.owner)).status_code == 204
    assert (await mails.client.get(at, headers=mails.owner)).status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"recipients": []}, "recipients"),
        ({"recipients": ["stranger@example.com"]}, "recipients"),
        ({"subject_id": 99}, "subject_id"),
        ({"subject": "dashboard"}, "subject_id"),
        ({"hour": 24}, "hour"),
        ({"every": "hour"}, "every"),
    ],
)
async def test_what_cannot_be_is_refused(mails: Mails, changes: dict[str, object], field: str) -> None:
    body = {"subject": "report", "subject_id": 1, "recipients": ["owner@example.com"], **changes}
    answer = await mails.client.post(SCHEDULES, json=body, headers=mails.owner)
    assert answer.status_code in {400, 422}, answer.text
    assert field in answer.text


async def test_before_the_owner_has_confirmed_the_address_none_begins(
    mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_STAT_SECONDS", 0.0)
    mails.workspace.set_limits(confirm_url="https://vivero.example/confirm/again?workspace=acme")
    body = {"subject": "report", "subject_id": 1, "recipients": ["owner@example.com"]}
    refused = await mails.client.post(SCHEDULES, json=body, headers=mails.owner)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:vivero:problem:owner-unconfirmed")
    assert (await mails.client.get(SCHEDULES, headers=mails.owner)).json()["items"] == []
    mails.workspace.set_limits()
    await mails.schedule("owner@example.com")


async def test_the_plan_decides_about_new_ones(mails: Mails) -> None:
    made = await mails.schedule("owner@example.com")
    mails.workspace.set_limits(features=[])
    await asyncio.sleep(1.1)  # as long as a plan is taken for current
    body = {"subject": "report", "subject_id": 1, "recipients": ["owner@example.com"]}
    assert (await mails.client.post(SCHEDULES, json=body, headers=mails.owner)).status_code == 402
    at = f"{SCHEDULES}/{made['id']}"
    assert (await mails.client.patch(at, json={"active": False}, headers=mails.owner)).status_code == 200
    assert (await mails.client.patch(at, json={"active": True}, headers=mails.owner)).status_code == 402
