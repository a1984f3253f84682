"""Backups of a workspace for who manages it: the bounds, whose they are, and the pages."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient
from msgspec import structs
from unit.control_plane.builders import tenant
from unit.control_plane_web.billing_fakes import OWNER, FakeBilling, FakeManaged
from unit.control_plane_web.fakes import NOW, RECOVERY, FakeBackups, FakePlans, backup, failed_backup, restore
from vivero_control.domain.accounts.backups import A_DAY, BY_HAND_MAX, Past, WorkspaceBackups, left_of
from vivero_control.domain.accounts.service import Role, Visit
from vivero_control.domain.backups.schemas import BackUp, BringBack, OperationState, Overview, Target
from vivero_web.errors import ConflictError, InvalidInputError, NotAllowedError

Owner = Callable[..., TestClient[Any]]
THEN = "2026-11-20T10:00:00"
ACME: dict[str, Any] = {"tenant": "acme"}
NOTHING = Overview(under_way=(), backups=(), restores=(), ended_backups=0, ended_restores=0, no_bucket=False)


def visit(role: Role = Role.OWNER) -> Visit:
    return Visit(tenant=tenant(), role=role, email=OWNER)


def of(*kept: Any, **known: Any) -> tuple[FakeBackups, WorkspaceBackups]:  # noqa: ANN401  backups and restores
    restores = tuple(one for one in kept if hasattr(one, "as_of"))
    fake = FakeBackups(tuple(one for one in kept if one not in restores), restores, recovery=RECOVERY, **known)
    return fake, WorkspaceBackups(fake, lambda: NOW)


@given(st.lists(st.tuples(st.integers(0, 60), st.booleans(), st.booleans()), max_size=8))
def test_so_many_backups_a_day_are_for_people_and_the_schedule_takes_none(made: list[tuple[int, bool, bool]]) -> None:
    views = tuple(
        (failed_backup if failed else backup)(f"b{at}", hours, scheduled=scheduled)
        for at, (hours, scheduled, failed) in enumerate(made)
    )
    counted = [one for one in made if timedelta(hours=one[0]) < A_DAY and not one[1] and not one[2]]
    left = left_of(structs.replace(NOTHING, backups=views), NOW)
    assert left == max(0, BY_HAND_MAX - len(counted))


async def test_one_more_than_a_day_has_is_not_asked_for() -> None:
    fake, backups = of(*(backup(f"b{at}", at, **ACME) for at in range(BY_HAND_MAX - 1)))
    await backups.back_up(visit(), "k" * 32)
    assert [(one[0], type(one[1]), one[2]) for one in fake.orders] == [("acme", BackUp, OWNER)]
    fake, backups = of(*(backup(f"b{at}", at, **ACME) for at in range(BY_HAND_MAX)))
    with pytest.raises(ConflictError):
        await backups.back_up(visit(), "k" * 32)
    assert fake.orders == []


async def test_what_is_left_of_a_tenant_of_this_name_that_was_there_before_is_not_seen() -> None:
    """Names of Tenants are used again, and what was backed up under one before was another customer's."""
    made = tenant().metadata.creation_timestamp
    assert made
    old = ACME | {"created_at": made}
    before = ACME | {"created_at": made - timedelta(seconds=1)}
    fake, backups = of(
        backup("theirs", **before),
        backup("first", **old),
        backup("ours", **ACME),
        restore("their-look", as_of=True, url="https://then.example", **before),
    )
    found = backups.overview(visit())
    assert ([one.name for one in found.backups], found.restores) == (["first", "ours"], ())
    for order in (backups.look, backups.go_back):
        with pytest.raises(InvalidInputError) as refused:
            await order(visit(), Past(backup="theirs"), "k" * 32)
        assert [one.field for one in refused.value.errors] == ["backup"]
    assert fake.orders == []


async def test_one_second_is_looked_at_at_a_time() -> None:
    past = Past(time=NOW - timedelta(hours=1))
    fake, backups = of(restore("closed", 30, as_of=True, **ACME))
    await backups.look(visit(Role.MANAGER), past, "k" * 32)
    ((_, order, _, _),) = fake.orders
    assert isinstance(order, BringBack)
    assert (order.target, order.time) == (Target(as_of=True), past.time)
    for other in (
        restore("open", 1, as_of=True, url="https://then.example", **ACME),
        restore("begun", 0, as_of=True, state=OperationState.RUNNING, **ACME),
    ):
        fake, backups = of(other)
        with pytest.raises(ConflictError):
            await backups.look(visit(), past, "k" * 32)
        assert fake.orders == []


async def test_only_the_owner_goes_back() -> None:
    fake, backups = of(backup("kept", **ACME))
    with pytest.raises(NotAllowedError):
        await backups.go_back(visit(Role.MANAGER), Past(backup="kept"), "k" * 32)
    await backups.go_back(visit(), Past(backup="kept"), "k" * 32)
    ((_, order, actor, _),) = fake.orders
    assert isinstance(order, BringBack)
    assert (order.target, order.backup, actor) == (Target(in_place=True), "kept", OWNER)


def hidden(page: str) -> dict[str, str]:
    form = page.partition('action="/account/backups/back"')[2]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


def test_the_owner_sees_what_is_lost_types_the_address_and_goes_back(owner: Owner) -> None:
    fake, _ = of(backup("kept", **ACME))
    with owner(backups=fake) as client:
        page = client.get("/account/backups").text
        assert all(
            words in page for words in ("Back up now", "Go back to it", f"{BY_HAND_MAX - 1} of {BY_HAND_MAX} left")
        )
        shown = client.get("/account/backups/back", params={"into": "place", "moment": THEN}).text
        assert all(words in shown for words in ("What is lost", "2 d 5 h", "Look at it first", "type acme"))
        wrong = client.post("/account/backups/back", data=hidden(shown) | {"confirm": "brisa"})
        assert (wrong.status_code, "Type acme" in wrong.text, 'value="brisa"' in wrong.text) == (422, True, True)
        assert fake.orders == []
        sent = client.post("/account/backups/back", data=hidden(shown) | {"confirm": " ACME "}, follow_redirects=False)
        assert (sent.status_code, sent.headers["location"]) == (303, "/account/backups?done=place")
    assert len(fake.orders) == 1


def test_a_manager_looks_and_does_not_go_back(owner: Owner) -> None:
    fake, _ = of(backup("kept", **ACME))
    managed = FakeManaged(FakeBilling(FakePlans()), role=Role.MANAGER)
    with owner(backups=fake, managed=managed) as client:
        assert "into=place" not in client.get("/account/backups").text
        place = {"into": "place", "moment": THEN}
        assert client.get("/account/backups/back", params=place).status_code == 403
        assert client.post("/account/backups/back", data=place | {"confirm": "acme"}).status_code == 403
        shown = client.get("/account/backups/back", params={"into": "look", "backup": "kept"}).text
        sent = client.post("/account/backups/back", data=hidden(shown), follow_redirects=False)
        assert sent.headers["location"] == "/account/backups?done=look"
    assert [type(one[1]) for one in fake.orders] == [BringBack]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"moment": ""}, "Enter a day"),
        ({"moment": "yesterday"}, "Enter a day"),
        ({"moment": "2036-11-20T10:00:00"}, "has passed"),
        ({"moment": "2026-01-20T10:00:00"}, "Nothing is kept from before"),
        ({"backup": "no-such-backup"}, "Choose one of the complete backups"),
    ],
)
def test_a_second_that_is_not_kept_is_said_beside_the_form(owner: Owner, asked: dict[str, str], words: str) -> None:
    fake, _ = of()
    with owner(backups=fake) as client:
        answer = client.get("/account/backups/back", params=asked)
        assert (answer.status_code, words in answer.text) == (422, True)
        sent = client.post("/account/backups/back", data=asked | {"into": "place", "confirm": "acme"})
        assert (sent.status_code, words in sent.text) == (422, True)
    assert fake.orders == []


def test_without_a_place_for_backups_none_is_offered(owner: Owner) -> None:
    with owner(backups=of(away=True)[0]) as client:
        page = client.get("/account/backups").text
        assert ("Nothing is backed up here" in page, "Back up now" in page) == (True, False)
