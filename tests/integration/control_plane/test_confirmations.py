"""Confirming the address of a signup, on the real database, API server and mail sink; and the one trial of a person."""

# ruff: noqa: ASYNC212  the server is in a thread of its own
import asyncio
import dataclasses
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from integration.control_plane.support import DOMAIN, Names, eventually, host_of, link_in, signup_body
from integration.control_plane.test_trials import OnlyTenant, run_until_closed
from vivero_control import composition
from vivero_control.domain.signups.policies import LINK_VALID_FOR, REMINDERS, TRIALS_MAX
from vivero_control.domain.tenants.policies import CONFIRM_WITHIN
from vivero_control.worker import Worker
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.tenant import Owner, Tenant

Mails = Callable[[str], list[dict[str, Any]]]
Drain = Callable[[], Awaitable[None]]
Later = Callable[[timedelta], None]
Ask = Callable[..., list[tuple[Any, ...]]]
FORM = {"sec-fetch-site": "same-origin"}


def sign_up(client: httpx.Client, slug: str, **changed: object) -> dict[str, Any]:
    answer = client.post("/api/v1/signups", json=signup_body(slug, **changed))
    assert answer.status_code == 202, answer.text
    view: dict[str, Any] = answer.json()
    return view


def secret_of(mail: dict[str, Any]) -> str:
    """What follows the # of the link in a mail, which names the workspace before it."""
    found = [line.strip() for line in mail["text"].splitlines() if "/confirm#" in line]
    assert len(found) == 1, mail["text"]
    code: str = found[0].partition("#")[2]
    return code


def confirm(client: httpx.Client, code: str) -> httpx.Response:
    return client.post("/api/v1/signups/confirmations", json={"code": code})


def ask_again(client: httpx.Client, slug: str) -> httpx.Response:
    return client.post("/confirm/again", data={"slug": slug}, headers=FORM)


async def owner_of(kube: KubeClient, view: dict[str, Any]) -> Owner:
    found = Tenant.parse(await kube.get(TENANT, view["tenant"]["name"])).spec.owner
    assert found is not None
    return found


async def test_the_link_of_the_welcome_confirms_once_and_by_a_button(
    client: httpx.Client, names: Names, kube: KubeClient, sql: Ask, mails: Mails, drain: Drain
) -> None:
    slug = names.new()
    view = sign_up(client, slug)
    assert view["email_confirmed"] is False
    assert not (await owner_of(kube, view)).confirmed
    await drain()
    (welcome,) = mails(f"owner@{slug}.example.com")
    assert welcome["subject"] == "Your Vivero workspace"
    assert f"https://{slug}.vivero.localhost:8443" in welcome["text"].split()
    code = secret_of(welcome)

    # A mail server that follows the link spends nothing.
    assert client.get("/confirm").status_code == 200
    assert client.get(f"/api/v1/signups/{view['id']}").json()["email_confirmed"] is False
    rows = [str(row) for table in ("signup_links", "outbox", "audit") for row in sql(f"SELECT * FROM {table}")]  # noqa: S608  literals
    assert rows
    assert not [row for row in rows if code in row], "the secret is stored nowhere"

    page = client.post("/confirm", data={"code": f"https://vivero.localhost:8443/confirm#{code}"}, headers=FORM)
    assert page.status_code == 200
    assert "Your address is confirmed" in page.text
    await drain()
    assert (await owner_of(kube, view)).confirmed
    assert client.get(f"/api/v1/signups/{view['id']}").json()["email_confirmed"] is True
    again = confirm(client, code)
    assert (again.status_code, again.json()["type"].rpartition(":")[2]) == (422, "link-spent")
    assert sql("SELECT COUNT(*) FROM signup_links WHERE signup_id = %s", view["id"]) == [(0,)]


async def test_reminders_bring_further_links_and_all_are_good_until_they_expire(
    client: httpx.Client, names: Names, mails: Mails, drain: Drain, later: Later
) -> None:
    slug = names.new()
    to = f"owner@{slug}.example.com"
    sign_up(client, slug)
    await drain()
    later(REMINDERS[0] + timedelta(minutes=1))
    await drain()
    later(REMINDERS[1] + timedelta(minutes=1))
    await drain()
    found = mails(to)
    assert len(found) == 1 + len(REMINDERS)
    codes = {mail["subject"]: secret_of(mail) for mail in sorted(found, key=lambda mail: mail["subject"])}
    assert set(codes) == {"Your Vivero workspace", "Confirm your e-mail address for Vivero"}
    assert REMINDERS[1] > LINK_VALID_FOR
    assert confirm(client, codes["Your Vivero workspace"]).status_code == 422
    later(REMINDERS[1] + LINK_VALID_FOR * 2)
    assert confirm(client, codes["Confirm your e-mail address for Vivero"]).status_code == 422


async def test_another_link_is_mailed_to_the_owner_alone_and_the_answer_tells_nothing(
    client: httpx.Client, names: Names, kube: KubeClient, mails: Mails, drain: Drain
) -> None:
    slug = names.new()
    to = f"owner@{slug}.example.com"
    view = sign_up(client, slug)
    await drain()
    asked, unknown = ask_again(client, slug), ask_again(client, names.new())
    assert [asked.status_code, unknown.status_code] == [200, 200]
    assert asked.text.replace(slug, "…") == unknown.text.replace(names.used[-1], "…")
    assert client.post("/api/v1/signups/confirmation-links", json={"slug": slug}).status_code == 202
    await drain()
    assert len(mails(to)) == 3
    reminder = next(mail for mail in mails(to) if mail["subject"].startswith("Confirm"))
    assert confirm(client, secret_of(reminder)).json() == {"url": f"https://{slug}.vivero.localhost:8443"}
    await drain()
    assert (await owner_of(kube, view)).confirmed

    assert ask_again(client, slug).status_code == 200
    await drain()
    assert len(mails(to)) == 3, "who has confirmed gets no further link"
    assert ask_again(client, slug).status_code == 429


async def test_an_unconfirmed_trial_is_closed_after_a_week_and_opens_by_the_link(
    client: httpx.Client,
    names: Names,
    kube: KubeClient,
    infrastructure: composition.Infrastructure,
    mails: Mails,
    drain: Drain,
    later: Later,
) -> None:
    slug = names.new()
    view = sign_up(client, slug)
    name = view["tenant"]["name"]
    jobs = Worker(dataclasses.replace(infrastructure, tenants=OnlyTenant(kube, name)))
    later(CONFIRM_WITHIN - timedelta(minutes=1))
    await jobs.trials.run()
    assert Tenant.parse(await kube.get(TENANT, name)).spec.suspended is None
    later(CONFIRM_WITHIN + timedelta(minutes=1))
    assert await run_until_closed(jobs, kube, name) == "TrialEnded"
    (closed,) = [mail for mail in mails(f"owner@{slug}.example.com") if mail["subject"].endswith("is closed")]
    assert f"https://vivero.localhost:8443/confirm/again?workspace={slug}" in closed["text"].split()

    assert ask_again(client, slug).status_code == 200
    await drain()
    links = [mail for mail in mails(f"owner@{slug}.example.com") if "/confirm#" in mail["text"]]
    assert [confirm(client, secret_of(mail)).status_code for mail in links].count(200) == 1
    await drain()
    opened = Tenant.parse(await kube.get(TENANT, name)).spec
    assert opened.suspended is None
    assert opened.owner is not None
    assert opened.owner.confirmed


@pytest.fixture
def server_knows(client: httpx.Client) -> Callable[[str], None]:
    """Waits until the control plane has a workspace in its list."""

    def wait(slug: str) -> None:
        host = {"Host": f"{slug}.{DOMAIN}:8443"}
        eventually(lambda: client.get("/", headers=host).status_code == 503)

    return wait


@pytest.fixture
def person() -> tuple[str, str]:
    """Two spellings of one mailbox."""
    name = f"ada{secrets.token_hex(6)}"
    return f"{name}@gmail.com", f"{name[:5]}.{name[5:]}+vivero@GoogleMail.com"


async def test_a_second_trial_of_a_person_is_answered_as_the_first_and_stays_unconfirmed(
    client: httpx.Client, names: Names, kube: KubeClient, mails: Mails, drain: Drain, person: tuple[str, str]
) -> None:
    first, second = (sign_up(client, names.new(), email=email) for email in person)
    assert set(first) == set(second)
    assert first["state"] == second["state"]
    await drain()
    (welcome,), (other,) = mails(person[0]), mails(person[1])
    assert confirm(client, secret_of(welcome)).status_code == 200
    await drain()
    assert (await owner_of(kube, first)).confirmed
    late = confirm(client, secret_of(other))
    assert (late.status_code, late.json()["type"].rpartition(":")[2]) == (409, "tried-before")

    third = sign_up(client, names.new(), email=person[1])
    assert set(third) == set(first)
    await drain()
    (told,) = [mail for mail in mails(person[1]) if "/confirm#" not in mail["text"]]
    assert host_of(link_in(told)) == host_of(first["tenant"]["url"])
    assert not (await owner_of(kube, third)).confirmed


async def test_of_two_signups_confirmed_at_once_one_gets_the_trial(
    client: httpx.Client,
    names: Names,
    infrastructure: composition.Infrastructure,
    mails: Mails,
    drain: Drain,
    person: tuple[str, str],
) -> None:
    for email in person:
        sign_up(client, names.new(), email=email)
    await drain()
    codes = [secret_of(mails(email)[0]) for email in person]
    confirmations = composition.services(infrastructure).confirmations
    outcomes = await asyncio.gather(*(confirmations.confirm(code) for code in codes * 3), return_exceptions=True)
    assert len([one for one in outcomes if not isinstance(one, BaseException)]) == 1, outcomes
    assert {type(one).__name__ for one in outcomes} == {"ConfirmedView", "LinkSpentError", "TriedBeforeError"}


async def test_where_a_prospect_came_from_is_kept_with_the_signup_for_staff(
    staff: httpx.Client, client: httpx.Client, names: Names
) -> None:
    lead = {"utm_source": "newsletter", "utm_medium": "a\tb", "referrer": "https://blog.example/post?reader=ada"}
    view = sign_up(client, names.new(), lead=lead)
    found = staff.get(f"/api/v1/tenants/{view['tenant']['name']}/lead")
    assert found.status_code == 200, found.text
    assert found.json()["lead"] == {"utm_source": "newsletter", "utm_medium": "a b", "referrer": "blog.example"}
    assert found.json()["confirmed_at"] is None
    long = client.post("/api/v1/signups", json=signup_body(names.new(), lead={"utm_source": "x" * 101}))
    assert (long.status_code, long.json()["errors"][0]["field"]) == (422, "lead.utm_source")


def test_an_address_that_expires_is_refused(client: httpx.Client, names: Names) -> None:
    refused = client.post("/api/v1/signups", json=signup_body(names.new(), email="ada@mailinator.com"))
    assert (refused.status_code, [one["field"] for one in refused.json()["errors"]]) == (422, ["email"])


async def test_a_colleague_asks_to_join_and_the_owner_is_led_to_invite(
    client: httpx.Client, names: Names, mails: Mails, drain: Drain, server_knows: Callable[[str], None]
) -> None:
    company = f"c{secrets.token_hex(5)}.example"
    owner, colleague, third_person = (f"{name}@{company}" for name in ("owner", "jane", "joe"))
    first = sign_up(client, names.new(), email=owner)
    second = sign_up(client, names.new(), email=colleague)
    third = sign_up(client, names.new(), email=third_person)
    assert set(first) == set(second) == set(third), "a signup tells nothing about colleagues"
    await drain()
    server_knows(first["tenant"]["slug"])
    assert "join_code" not in confirm(client, secret_of(mails(owner)[0])).json()
    answer = confirm(client, secret_of(mails(colleague)[0])).json()
    assert host_of(answer["url"]) == host_of(second["tenant"]["url"])
    assert first["tenant"]["slug"] not in str(answer)

    for _ in range(2):
        assert client.post("/api/v1/signups/join-requests", json={"code": answer["join_code"]}).status_code == 202
    forged = f"{third['id']}.{answer['join_code'].partition('.')[2]}"
    assert client.post("/api/v1/signups/join-requests", json={"code": forged}).status_code == 422
    await drain()
    (asked,) = [mail for mail in mails(owner) if "asks to join" in mail["subject"]]
    assert colleague in asked["text"]
    # Of this program's own address: the cluster's Tenant says the platform's, which may have another port.
    workspace = f"https://{first['tenant']['slug']}.{DOMAIN}:8443"
    assert link_in(asked) == f"{workspace}/users/new?email=jane%40{company}"
    assert not [mail for mail in mails(third_person) if "asks to join" in mail["subject"]]


async def test_what_a_stranger_orders_for_an_address_uses_it_up_for_a_week_alone(
    client: httpx.Client, names: Names, drain: Drain, later: Later, person: tuple[str, str]
) -> None:
    for _ in range(TRIALS_MAX):
        sign_up(client, names.new(), email=person[0])
    refused = sign_up(client, names.new(), email=person[1])
    assert client.get(f"/api/v1/signups/{refused['id']}").json()["state"] == "failed"
    later(CONFIRM_WITHIN + timedelta(minutes=1))
    assert sign_up(client, names.new(), email=person[1])["tenant"]["name"] is not None
    await drain()
