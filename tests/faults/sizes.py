"""From every plan of the chart to every other: the Deployment's controller and the quota's admission are the real ones."""

import itertools
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml
from faults.looks import pods
from faults.rig import Rig, eventually
from faults.scenarios import born, change, look, new_slug, ready, retire
from faults.state import Names
from vivero_core.backends.kube.client import Object
from vivero_core.backends.kube.resources import DEPLOYMENT, RESOURCE_QUOTA
from vivero_core.model import naming
from vivero_core.model.constants import API_VERSION
from vivero_core.model.plan import Workload
from vivero_operator.policies.room import Room, parse

CHART: Final = Path(__file__).parents[2] / "charts/vivero-operator/values.yaml"
PREFIX: Final = "faults-of-the-chart-"
_AS_MUCH: Final = 1000
"""Times the CPU, so that Kubernetes leaves the pods to the stand-in; all relations between the plans are the same."""


def _times(cpu: str) -> str:
    value: Decimal = parse(cpu) * _AS_MUCH
    return str(int(value))


def chart_plans() -> dict[str, Object]:
    """The shipped ones by name."""
    plans: dict[str, dict[str, Any]] = yaml.safe_load(CHART.read_text())["plans"]
    return {name: _plan(PREFIX + name, spec) for name, spec in plans.items()}


def _plan(name: str, spec: dict[str, Any]) -> Object:
    size = spec["workload"] | {"cpuRequest": _times(spec["workload"]["cpuRequest"])}
    if "cpuLimit" in size:
        size["cpuLimit"] = _times(size["cpuLimit"])
    kept = {key: value for key, value in spec.items() if key != "trialDays"}
    return {
        "apiVersion": API_VERSION,
        "kind": "Plan",
        "metadata": {"name": name},
        "spec": kept | {"workload": size, "undoDays": 0},
    }


PLANS: Final = chart_plans()
PAIRS: Final = tuple(itertools.permutations(PLANS, 2))


async def settled(rig: Rig, names: Names, plan: str) -> str:
    """What is not as the plan says; empty when all is."""
    size = Workload.model_validate(PLANS[plan]["spec"]["workload"])
    tenant = await look(rig, names)
    assert tenant is not None
    if tenant.status.plan != PREFIX + plan or not await ready(rig, names):
        return f"not in force: {tenant.status.message}"
    namespace = naming.namespace_name(names.id)
    hard = (await rig.kube.get(RESOURCE_QUOTA, "app", namespace))["spec"]["hard"]
    wanted = Room.of(size).hard()
    if {key: parse(value) for key, value in hard.items()} != {key: parse(value) for key, value in wanted.items()}:
        return f"the quota is {hard}, not {wanted}"
    status = (await rig.kube.get(DEPLOYMENT, "app", namespace))["status"]
    counts = {status.get(key) for key in ("replicas", "updatedReplicas", "readyReplicas")}
    if counts != {size.replicas} or tenant.status.updated_replicas != size.replicas:
        return f"{status}, and the Tenant says {tenant.status.updated_replicas}"
    asked = [one["spec"]["containers"][0]["resources"]["requests"] for one in (await pods(rig, names)).values()]
    fits = all(
        (parse(one["cpu"]), parse(one["memory"])) == (parse(size.cpu_request), parse(size.memory_request))
        for one in asked
    )
    return "" if fits and len(asked) == size.replicas else f"pods ask for {asked}"


async def moved(rig: Rig, before: str, after: str) -> None:
    """There, and nothing of the old size is left."""
    names = await born(rig, new_slug(), plan=PREFIX + before)
    for plan in (before, after):
        await change(rig, names, plan=PREFIX + plan)
        seen = [""]

        async def done(plan: str = plan, seen: list[str] = seen) -> bool:
            seen[0] = await settled(rig, names, plan)
            return not seen[0]

        try:
            await eventually(done)
        except TimeoutError:
            raise AssertionError(f"{before} to {after}: {seen[0]}") from None
    await retire(rig, names)


FLOWS: Final[Mapping[str, Callable[[Rig], Awaitable[None]]]] = {
    f"from {before} to {after}": partial(moved, before=before, after=after) for before, after in PAIRS
}
