"""What the fault harness has found once: each was a fault of the operator."""

import pytest
from faults.plan import MANY, ONE, Action, Fault, Verb
from faults.play import Book
from faults.rig import Rig, eventually
from faults.scenarios import SMALL, born, discard, gone, new_slug, retire
from faults.state import inventory
from integration.operator.test_faults import strikes
from vivero_core.backends.kube.resources import PLAN, TENANT

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_spare_whose_making_failed_or_was_not_heard_of(book: Book) -> None:
    """The pool makes exactly one in the end, and tells a server's fault from a bug of its own."""
    making = frozenset({Verb.CREATE})
    failed = Fault(Action.REFUSE, making, "tenants", status=500)
    await strikes(book, "claim", failed, Fault(Action.LOSE, making, "tenants", nth=2))
    assert book.rig.complaints([]) == []


async def test_a_page_of_a_load_balancer_is_no_absence(book: Book) -> None:
    """Taken for a missing namespace it would mean new passwords for a tenant in service."""
    await strikes(book, "change", Fault(Action.MISROUTE, ONE, "namespaces", status=404))


async def test_one_read_from_the_past_costs_no_password(book: Book) -> None:
    """The API server does not know the namespace yet; nor may the key go without which no one reads the files again."""
    await strikes(book, "change", Fault(Action.REFUSE, ONE, "namespaces", status=404))


async def test_the_dead_stay_dead(rig: Rig) -> None:
    """A list from before a Tenant's end, shown to an operator that has just started, brings nothing back."""
    names = await born(rig, new_slug())
    async with rig.disturbed([Fault(Action.STALE, MANY, "tenants", times=2)], names) as director:

        async def met() -> bool:
            return bool(director.met)

        await rig.kube.delete(TENANT, names.tenant, uid=names.uid)
        await eventually(lambda: gone(rig, names))
        mark = len(rig.proxy.journal)
        rig.operator.kill()
        await eventually(met)
        # Whether a handler hears of the dead at all is chance: kopf joins the list and the news of the end if it can.
        # Of a tenant born since it hears after both.
        heir = await born(rig, new_slug())
        await rig.rest(heir, mark)
    await retire(rig, heir)
    assert [where for where, found in (await inventory(rig.kube, rig.servers)).items() if names.id in found] == []


async def test_a_plan_without_a_limit_of_connections(rig: Rig) -> None:
    """Absent means unlimited."""
    name = "faults-unlimited"
    body = await rig.kube.get(PLAN, SMALL)
    spec = {**body["spec"], "limits": {"records": 1000}}
    await rig.kube.create({**body, "metadata": {"name": name}, "spec": spec})
    names = await born(rig, new_slug(), plan=name)
    await retire(rig, names)
    await discard(rig, PLAN, name)
