"""What Kubernetes makes of a tenant's Deployment and quota, as far as they can get in each other's way.

The Deployment controller's arithmetic (maxSurge, maxUnavailable, a change of size beside a change of template), the
quota's admission, which counts pods that still end, and the API server's way to write quantities.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from reconcile.world import Object, World
from vivero_core.model.constants import ANNOTATION_REVISION, LABEL_TENANT
from vivero_operator.policies import room

END_TICKS = 2
"""How long a pod takes to end."""
_DECIMAL = ("", "k", "M", "G", "T", "P", "E")
_BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


def canonical(text: str) -> str:
    """As the API server prints it: whole numbers with the largest suffix that leaves no fraction."""
    value = room.parse(text)
    if value != value.to_integral_value():
        milli = value * 1000
        return f"{int(milli)}m" if milli == milli.to_integral_value() else text
    number, power = int(value), 0
    binary = text.endswith("i")
    base = 1024 if binary else 1000
    while number and number % base == 0 and power < len(_DECIMAL) - 1:
        number, power = number // base, power + 1
    return f"{number}{('', *_BINARY)[power] if binary else _DECIMAL[power]}"


@dataclass
class NodePod:
    name: str
    revision: str
    requests: dict[str, Decimal]
    ready: bool = False
    ending: int | None = None


@dataclass
class Node:
    """Enough room for everything that the quota lets through."""

    world: World
    namespace: str
    pods: list[NodePod] = field(default_factory=list)
    sets: dict[str, int] = field(default_factory=dict)
    """Wanted pods by revision, the newest last."""
    wanted: int = 0
    made: int = 0
    refused: int = 0
    """Pods that the quota did not let through."""

    def tick(self) -> None:
        """A few seconds."""
        quota = self.world.kube.objects.get(("ResourceQuota", self.namespace, "app"))
        if quota is not None:
            quota["spec"]["hard"] = {key: canonical(value) for key, value in quota["spec"]["hard"].items()}
        self._age()
        deployment = self.world.kube.objects.get(("Deployment", self.namespace, "app"))
        if deployment is not None:
            self._roll(deployment)
            self._bring_about(deployment, quota["spec"]["hard"] if quota else {})
        self._tell()

    def _age(self) -> None:
        self.pods = [one for one in self.pods if one.ending is None or one.ending < END_TICKS]
        for one in self.pods:
            if one.ending is None:
                one.ready = True
            else:
                one.ending += 1

    def _roll(self, deployment: Object) -> None:
        """One step of the Deployment controller."""
        revision = deployment["spec"]["template"]["metadata"]["annotations"][ANNOTATION_REVISION]
        replicas = deployment["spec"]["replicas"]
        if replicas != self.wanted:
            self._scale(replicas)
        self.wanted = replicas
        self.sets[revision] = self.sets.pop(revision, 0)
        total, new = sum(self.sets.values()), self.sets[revision]
        grown = min(replicas, new + max(0, replicas + 1 - total))
        if new != grown:
            self.sets[revision] = grown
            return
        available = sum(one.ready and one.ending is None for one in self.pods)
        spare = min(available - replicas, total - replicas - (new - self._ready(revision)))
        for old in [one for one in self.sets if one != revision]:
            taken = max(0, min(spare, self.sets[old]))
            self.sets[old], spare = self.sets[old] - taken, spare - taken
        self.sets = {one: count for one, count in self.sets.items() if count or one == revision}

    def _scale(self, replicas: int) -> None:
        """The number of replicas was changed: what there is grows or shrinks first, whatever its template."""
        active = [one for one, count in self.sets.items() if count]
        if len(active) == 1:
            self.sets[active[0]] = replicas
            return
        difference = replicas + 1 - sum(self.sets.values())
        for one in sorted(active, key=lambda each: -self.sets[each]):
            if difference > 0:
                self.sets[one] += difference
                break
            taken = min(-difference, self.sets[one])
            self.sets[one], difference = self.sets[one] - taken, difference + taken

    def _ready(self, revision: str) -> int:
        return sum(one.ready and one.ending is None and one.revision == revision for one in self.pods)

    def _bring_about(self, deployment: Object, hard: dict[str, str]) -> None:
        """As the ReplicaSets' controller does; what is refused is tried again at the next tick."""
        template = deployment["spec"]["template"]
        newest = template["metadata"]["annotations"][ANNOTATION_REVISION]
        self._sizes = {**getattr(self, "_sizes", {}), newest: _requests(template)}
        for revision in {*self.sets, *(one.revision for one in self.pods)}:
            living = [one for one in self.pods if one.revision == revision and one.ending is None]
            for one in living[self.sets.get(revision, 0) :]:
                one.ready, one.ending = False, 0
            for _ in range(self.sets.get(revision, 0) - len(living)):
                self._create(revision, self._sizes[revision], hard)

    def _create(self, revision: str, requests: dict[str, Decimal], hard: dict[str, str]) -> None:
        bounded = {key: room.parse(value) for key, value in hard.items() if key in _COUNTED}
        for key, most in bounded.items():
            used = sum((one.requests.get(key, Decimal(0)) for one in self.pods), Decimal(0))
            if key not in requests or used + requests[key] > most:
                self.refused += 1
                return
        self.made += 1
        self.pods.append(NodePod(f"app-{self.made}", revision, requests))

    def lose(self) -> None:
        """The oldest pod is gone with its node."""
        del self.pods[:1]

    def _tell(self) -> None:
        """As the watch of pods does."""
        known = {name for kind, _, name in self.world.kube.objects if kind == "Pod"}
        for name in known - {one.name for one in self.pods}:
            self.world.kube.objects.pop(("Pod", self.namespace, name))
        for pod in self.world.cluster.all_pods():
            if pod.name not in {one.name for one in self.pods}:
                self.world.cluster.drop_pod(pod)
        for one in self.pods:
            self.world.told_revision.add(one.name)
            self.world.put(_body(one, self.namespace))


_COUNTED = ("pods", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")


def _requests(template: Object) -> dict[str, Decimal]:
    resources = template["spec"]["containers"][0]["resources"]
    found = {f"{part}.{name}": value for part, sizes in resources.items() for name, value in sizes.items()}
    return {"pods": Decimal(1), **{key: room.parse(value) for key, value in found.items()}}


def _body(pod: NodePod, namespace: str) -> Object:
    metadata = {
        "name": pod.name,
        "namespace": namespace,
        "labels": {LABEL_TENANT: namespace.removeprefix("tenant-")},
        "annotations": {ANNOTATION_REVISION: pod.revision},
    }
    if pod.ending is not None:
        metadata["deletionTimestamp"] = "2026-11-22T12:00:00Z"
    ready = {"type": "Ready", "status": str(pod.ready)}
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": metadata,
        "status": {"podIP": "10.0.0.9", "conditions": [ready]},
    }
