"""Who manages which workspace: by mailed links, on the real database, cache, API server and mail server."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from integration.control_plane.support import Names, link_in, make_workspace
from msgspec import structs
from support.payments import Payments
from vivero_control import composition
from vivero_control.db.tables import Signup
from vivero_control.domain.accounts.people import MANAGERS_MAX
from vivero_control.domain.accounts.repository import ManagerRepository
from vivero_control.domain.accounts.service import NoAccountSessionError, Role, Visit
from vivero_control.domain.accounts.sessions import Holder
from vivero_control.domain.billing.schemas import Interval
from vivero_control.domain.signups.repository import AccountRepository as SignupAccounts
from vivero_control.domain.signups.repository import SignupRepository
from vivero_control.domain.tenants.errors import TenantNotFoundError
from vivero_control.services import Services
from vivero_control.worker import Worker
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.resources import TENANT
from vivero_core.model.constants import DeletionPolicy
from vivero_core.model.tenant import Tenant
from vivero_web.errors import ConflictError, InvalidInputError, LinkSpentError, NotAllowedError
from vivero_web.links import secret_in

Mails = Callable[[str], list[dict[str, Any]]]
Ask = Callable[..., list[tuple[Any, ...]]]


@dataclass(frozen=True)
class World:
    """Two workspaces of two owners, known to a control plane that sells."""

    to: composition.Infrastructure
    services: Services
    ours: Tenant
    theirs: Tenant

    async def worked(self) -> None:
        await Worker(self.to).drain()

    async def visit(self, email: str) -> Visit:
        return await self.services.managed.visit(holder(self.ours, email))


@pytest.fixture
async def world(sold: composition.Infrastructure, kube: KubeClient, names: Names) -> World:
    ends = datetime.now(UTC) + timedelta(days=9)
    made = [await make_workspace(kube, names.new(), ends) for _ in range(2)]
    async with asyncio.timeout(60):
        # An id is the operator's to give; the list is complete once it has both.
        while not all((one := sold.directory.get(each.name)) and one.status.id for each in made):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return World(sold, composition.services(sold), *made)


def holder(tenant: Tenant, email: str = "") -> Holder:
    return Holder(tenant.name, tenant.metadata.uid, email)


def owner_of(tenant: Tenant) -> str:
    assert tenant.spec.owner
    return tenant.spec.owner.email


def one_of(found: list[dict[str, Any]], subject: str) -> dict[str, Any]:
    """The one mail of this subject."""
    (mail,) = [one for one in found if one["subject"] == subject]
    return mail


async def test_a_manager_is_named_and_comes_by_a_link_of_their_own(world: World, mails: Mails, sql: Ask) -> None:
    services, grace = world.services, f"grace@{world.ours.name}.example"
    owner = await world.visit(owner_of(world.ours))
    assert await services.workspace_people.name(owner, f" {grace.upper()} ") == grace
    await world.worked()
    (told,) = mails(grace)
    assert told["subject"] == "You can manage a Vivero workspace"
    assert f"{owner.email} has named you" in " ".join(told["text"].split())
    (copy,) = mails(owner.email)
    assert f"has named {grace}" in " ".join(copy["text"].split())

    await services.account_links.ask_by_email(grace, "198.51.100.1")
    await world.worked()
    secret = secret_in(link_in(one_of(mails(grace), "Manage your Vivero workspace")))
    cookie = await services.accounts.open(secret)
    with pytest.raises(LinkSpentError):
        await services.accounts.open(secret)
    session = await services.accounts.read(cookie.value)
    assert session == Holder("", "", grace)
    with pytest.raises(NoAccountSessionError):
        await services.managed.visit(session)
    assert [one.name for one in await services.managed.of(grace)] == [world.ours.name]
    assert cookie.value
    await services.accounts.choose(cookie.value, await services.managed.choice(session, world.ours.name))
    visit = await services.managed.visit(await services.accounts.read(cookie.value))
    assert (visit.tenant.name, visit.role, visit.actor) == (world.ours.name, Role.MANAGER, grace)

    await services.workspace_people.remove(owner, grace)
    with pytest.raises(NoAccountSessionError):
        await services.managed.visit(await services.accounts.read(cookie.value))
    assert await services.managed.of(grace) == []
    await world.worked()
    assert one_of(mails(grace), "You manage a Vivero workspace no more")
    acts = sql("SELECT action, actor FROM audit WHERE subject = %s ORDER BY id", f"tenant/{world.ours.name}")
    assert acts == [("name-manager", owner.email), ("remove-manager", owner.email)]


async def test_nobody_gets_at_the_workspace_of_another(world: World) -> None:
    services = world.services
    for email in (owner_of(world.theirs), f"nobody@{world.ours.name}.example", "%", "_"):
        with pytest.raises(NoAccountSessionError):
            await world.visit(email)
        with pytest.raises(TenantNotFoundError):
            await services.managed.choice(Holder("", "", email), world.ours.name)
    with pytest.raises(TenantNotFoundError):
        await services.managed.choice(holder(world.theirs), world.ours.name)
    assert await services.managed.of("") == []
    with pytest.raises(TenantNotFoundError):
        await services.managed.visit(Holder(world.ours.name, world.theirs.metadata.uid, owner_of(world.ours)))


async def test_who_owns_and_manages_several_sees_all_of_them(world: World) -> None:
    ours, theirs = world.ours, world.theirs
    owner = await world.services.managed.visit(holder(theirs, owner_of(theirs)))
    await world.services.workspace_people.name(owner, owner_of(ours))
    found = await world.services.managed.of(owner_of(ours).upper())
    assert {one.name for one in found} == {ours.name, theirs.name}


async def test_only_the_owner_decides_about_others(world: World) -> None:
    people, grace, ada = world.services.workspace_people, "grace@example.com", "ada@example.com"
    owner = await world.visit("")
    for email in (grace, ada):
        await people.name(owner, email)
    manager = await world.visit(grace)
    for refused in (people.name(manager, "new@example.com"), people.remove(manager, ada)):
        with pytest.raises(NotAllowedError):
            await refused
    await people.remove(manager, grace)
    assert [(one.email, one.named_by) for one in await people.all(owner)] == [(ada, "owner")]
    for wrong in (owner_of(world.ours).upper(), ada):
        with pytest.raises(ConflictError):
            await people.name(owner, wrong)
    with pytest.raises(InvalidInputError):
        await people.name(owner, "no address")


async def test_the_longest_address_can_be_named(world: World) -> None:
    owner = await world.visit("")
    longest = f"{'m' * 64}@{'d' * 60}.{'d' * 60}.{'d' * 59}.example"
    assert await world.services.workspace_people.name(owner, longest) == longest
    await world.services.workspace_people.remove(owner, longest)
    assert await world.services.workspace_people.all(owner) == ()


async def test_there_are_so_many_managers_and_no_more(world: World) -> None:
    owner = await world.visit("")
    for number in range(MANAGERS_MAX):
        await world.services.workspace_people.name(owner, f"m{number}@{world.ours.name}.example")
    with pytest.raises(ConflictError, match="at most"):
        await world.services.workspace_people.name(owner, f"one-more@{world.ours.name}.example")


async def test_an_erased_tenant_has_no_managers_left(world: World) -> None:
    owner = await world.visit("")
    await world.services.workspace_people.name(owner, "grace@example.com")
    async with world.to.database.transaction() as session:
        await ManagerRepository(session).forget([world.ours.id])
    assert await world.services.workspace_people.all(owner) == ()


async def test_a_session_ends_after_half_a_day_however_many_pages_are_opened(
    world: World, later: Callable[[timedelta], None]
) -> None:
    accounts, ours = world.services.accounts, holder(world.ours)
    cookie = await accounts.open(await accounts.new_link(ours))
    assert cookie.value
    later(timedelta(hours=11, minutes=59))
    await accounts.choose(cookie.value, ours)
    assert await accounts.read(cookie.value) == ours
    later(timedelta(hours=12))
    assert await accounts.read(cookie.value) is None


@pytest.fixture
def undo(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An undo window of fourteen days: the platform of the tests has none, for its tenants come and go."""
    plans = world.services.plans
    find = plans.find
    monkeypatch.setattr(plans, "find", lambda name: structs.replace(find(name), undo_days=14))


async def test_without_an_undo_window_a_workspace_is_not_deleted_by_its_owner(world: World) -> None:
    with pytest.raises(ConflictError, match="Nothing of a workspace on this plan is kept"):
        await world.services.workspace_deletion.delete(await world.visit(""), world.ours.name)


async def test_a_workspace_is_deleted_by_its_owner_with_its_data_kept(
    world: World, mails: Mails, sql: Ask, undo: None
) -> None:
    del undo
    deletion, owner = world.services.workspace_deletion, await world.visit(owner_of(world.ours))
    await world.services.workspace_people.name(owner, "grace@example.com")
    refused: list[tuple[Visit, str, type[Exception]]] = [
        (await world.visit("grace@example.com"), world.ours.name, NotAllowedError),
        (owner, world.theirs.name, InvalidInputError),
    ]
    for visit, typed, error in refused:
        with pytest.raises(error):
            await deletion.delete(visit, typed)
    assert (await world.visit(owner.email)).tenant.spec.deletion_policy is DeletionPolicy.RETAIN
    await deletion.delete(owner, f" {world.ours.name.upper()} ")
    with pytest.raises(TenantNotFoundError):
        await world.visit(owner.email)
    left = await world.to.tenants.find(world.ours.name)
    assert left is None or (isinstance(left, Tenant) and left.spec.deletion_policy is DeletionPolicy.DELETE)
    assert (
        await world.services.managed.visit(holder(world.theirs))
    ).tenant.spec.deletion_policy is DeletionPolicy.RETAIN
    await world.worked()
    assert "is kept for 14 days" in one_of(mails(owner.email), "Your Vivero workspace is deleted")["text"]
    subject = f"tenant/{world.ours.name}"
    acts = sql("SELECT actor, outcome FROM audit WHERE subject = %s AND action = 'delete'", subject)
    assert acts == [(owner.email, "done")]


@pytest.mark.parametrize("reason", ["Abuse", "Manual"])
async def test_what_the_platforms_people_have_closed_its_owner_does_not_delete(
    world: World, kube: KubeClient, reason: str
) -> None:
    await kube.patch(TENANT, world.ours.name, {"spec": {"suspended": {"reason": reason, "message": ""}}})
    with pytest.raises(ConflictError, match="have closed"):
        await world.services.workspace_deletion.delete(await world.visit(""), world.ours.name)


async def test_what_is_paid_is_not_deleted(world: World, standin: Payments, undo: None) -> None:
    del undo
    tenant = (await world.visit("")).tenant
    page = await world.services.billing.checkout(tenant, "starter", Interval.MONTH, "https://vivero.example/account")
    standin.pay(page)
    with pytest.raises(ConflictError, match="plan is paid"):
        await world.services.workspace_deletion.delete(await world.visit(""), tenant.name)
    assert (await world.visit("")).tenant.metadata.deletion_timestamp is None


async def test_what_is_known_of_a_person_is_theirs_alone(world: World) -> None:
    """Also in the words of what others did to them: these are the others'."""
    ours, theirs = world.ours, world.theirs
    mine, other = owner_of(ours).lower(), owner_of(theirs).lower()
    people = world.services.workspace_people
    await people.name(await world.visit(mine), other)
    await people.name(await world.services.managed.visit(holder(theirs, other)), mine)
    found = await world.services.personal_data.of(mine)
    assert [(one.slug, one.billing.customer) for one in found.owns] == [(ours.name, None)]
    assert [(one.tenant_id, one.named_by) for one in found.manages] == [(theirs.id, other)]
    assert {one.actor for one in found.acts} == {mine}
    assert [one.action for one in found.acts] == ["name-manager"]
    nothing = await world.services.personal_data.of(f"nobody@{ours.name}.example")
    assert (nothing.signups, nothing.owns, nothing.manages, nothing.acts) == ((), (), (), ())


async def test_signups_are_known_by_the_very_address(world: World) -> None:
    name = world.ours.name
    async with world.to.database.transaction() as session:
        account = await SignupAccounts(session).id_of(f"one@{name}.example", world.to.clock())
        for number, email in enumerate((f"One@{name}.example", f"one+tag@{name}.example")):
            row = Signup(
                id=f"{name}-{number}"[:32],
                account_id=account,
                email=email,
                company="Company",
                slug=f"{name}-{number}"[:40],
                plan="trial",
                created_at=world.to.clock(),
            )
            await SignupRepository(session).add(row)
    found = await world.services.personal_data.of(f"one@{name}.example")
    assert [one.email for one in found.signups] == [f"One@{name}.example"]
