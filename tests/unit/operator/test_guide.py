"""The reading guide of docs/architecture.md names the files that a Tenant crosses from its event to Ready, and no others."""

import asyncio
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from reconcile.scenes import condition, pod
from reconcile.world import PLAN, SERVER, World, tenant_body
from unit.operator.waiting import until
from vivero_core.model.constants import ANNOTATION_REVISION, LABEL_SIGNUP
from vivero_operator.handlers import dispatch, pods
from vivero_operator.health import Heartbeat
from vivero_operator.kinds import KINDS
from vivero_operator.reconcile.context import HandlerContext
from vivero_operator.reconcile.controller import Controller, Key
from vivero_operator.reconcile.pods import Pod
from vivero_operator.reconcile.queue import WorkQueue
from vivero_operator.reconcile.unreadable import skipping_unreadable

ROOT = Path(__file__).parents[3]
OPERATOR = ROOT / "operator/vivero_operator"


def guide() -> str:
    text = (ROOT / "docs/architecture.md").read_text()
    return text[text.index("## A Tenant from its event to Ready") : text.index("## Life of a tenant")]


def named() -> set[str]:
    """Files of the operator, from its folder; `{a,b}` stands for both."""
    found = set()
    for path in re.findall(r"`([^`]+\.py)`", guide()):
        before, brace, rest = path.partition("{")
        braced, _, after = rest.partition("}")
        names = [f"{before}{name}{after}" for name in braced.split(",")] if brace else [path]
        found |= {f"reconcile/{name}" if name.startswith("steps/") else name for name in names}
    return found


@contextmanager
def noting(ran: set[str]) -> Iterator[None]:
    """The files whose functions run; none of what is only imported."""

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_name != "<module>":
            ran.add(frame.f_code.co_filename)

    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)


async def story(world: World) -> set[str]:
    """What runs from the Tenant's event over a first pass and the event of its pod until it is Ready."""
    spec, queue = KINDS[0], WorkQueue[Key]()
    context = HandlerContext(world.cluster, queue, world.state, Heartbeat())
    reconcile = skipping_unreadable(world.services, spec, spec.reconciler(world.services, context).reconcile)
    working = asyncio.create_task(Controller(queue, {"Tenant": reconcile}, concurrency=1, resync_seconds=600).run())
    body, ran = tenant_body(), set[str]()
    body["metadata"]["labels"] = {LABEL_SIGNUP: "somebody"}  # who watches every step
    made = world.kube.put(body)
    with noting(ran):
        dispatch.handle(context, spec, "ADDED", made)
        await until(lambda: condition(world, "WorkloadReady") is not None)
    [template] = [one["spec"]["template"] for (kind, *_), one in world.kube.objects.items() if kind == "Deployment"]
    started = pod(revision=template["metadata"]["annotations"][ANNOTATION_REVISION])
    with noting(ran):
        pods.observe(context, Pod.parse(started))
        await until(lambda: condition(world, "Ready") == "True Proven")
    working.cancel()
    await asyncio.wait({working})
    return ran


async def test_it_names_what_runs_and_no_more() -> None:
    world = World()
    for manifest in (PLAN, SERVER):
        world.put(manifest)
    ran = {Path(file) for file in await story(world)}
    assert named() == {str(file.relative_to(OPERATOR)) for file in ran if file.is_relative_to(OPERATOR)}


def test_it_counts_them() -> None:
    assert f"These are {len(named())} files of the operator" in guide()
