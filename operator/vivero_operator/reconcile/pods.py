"""A tenant's pod, as far as reconciling cares."""

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from vivero_core.model import constants as c
from vivero_core.model.base import shortened

_STARTING: Final = frozenset({"ContainerCreating", "PodInitializing"})
_REASON: Final = re.compile(r"[A-Z][A-Za-z]{1,62}")
_MESSAGE_LIMIT: Final = 300


@dataclass(frozen=True)
class Trouble:
    """Why a pod cannot start or cannot go on, in Kubernetes' own words."""

    reason: str
    """CamelCase, for example CrashLoopBackOff or Unschedulable."""
    message: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}" if self.message else self.reason


@dataclass(frozen=True)
class Pod:
    """A tenant's pod, as far as reconciling cares."""

    name: str
    namespace: str
    tenant_id: str
    ip: str | None
    running: bool
    ready: bool
    asked: bool
    """Whether kubelet was already made to ask it, outside its turn, if it is ready."""
    going: bool
    limits: str | None
    """Digest of the limits that the pod was last told about, if it ever was."""
    revision: str | None
    """Digest of the template it was made from; None when that was before there were revisions."""
    trouble: Trouble | None
    restarts: int
    version: str = field(default="", compare=False)
    """resourceVersion; that it alone changes is no news."""

    @property
    def news(self) -> Hashable:
        """What of it makes work when it changes; that it was scheduled, or that we asked it, does not."""
        return self.running, self.ready, self.ready and self.ip, self.going, self.limits, self.trouble, self.restarts

    @classmethod
    def parse(cls, body: dict[str, Any]) -> "Pod":
        meta, status = body["metadata"], body.get("status", {})
        conditions = {one["type"]: one for one in status.get("conditions", ())}
        containers = status.get("containerStatuses", ())
        annotations = meta.get("annotations", {})
        return cls(
            name=meta["name"],
            namespace=meta["namespace"],
            tenant_id=meta.get("labels", {}).get(c.LABEL_TENANT, ""),
            ip=status.get("podIP"),
            running=any("running" in one.get("state", {}) for one in containers),
            ready=conditions.get("Ready", {}).get("status") == "True",
            asked=c.ANNOTATION_ASKED in annotations,
            going="deletionTimestamp" in meta,
            limits=annotations.get(c.ANNOTATION_LIMITS),
            revision=annotations.get(c.ANNOTATION_REVISION),
            trouble=next(_troubles(status, conditions, containers), None),
            restarts=sum(one.get("restartCount", 0) for one in containers),
            version=meta.get("resourceVersion", ""),
        )


def trouble(reason: object, message: object) -> Trouble:
    """With a reason that a condition may carry, and a message of bounded length."""
    word = str(reason or "")
    return Trouble(word if _REASON.fullmatch(word) else "PodFailed", shortened(str(message or ""), _MESSAGE_LIMIT))


def _troubles(
    status: dict[str, Any], conditions: dict[str, dict[str, Any]], containers: list[dict[str, Any]]
) -> Iterator[Trouble]:
    for container in containers:
        state = container.get("state", {})
        waiting, ended = state.get("waiting", {}), state.get("terminated", {})
        if waiting and waiting.get("reason") not in {None, *_STARTING}:
            last = container.get("lastState", {}).get("terminated")
            yield trouble(waiting["reason"], _ending(last) if last else waiting.get("message"))
        if ended.get("exitCode"):
            yield trouble(ended.get("reason"), _ending(ended))
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False":
        yield trouble(scheduled.get("reason"), scheduled.get("message"))
    if status.get("phase") == "Failed":
        yield trouble(status.get("reason"), status.get("message"))


def _ending(terminated: dict[str, Any]) -> str:
    """How a container ended: its exit code, and Kubernetes' word for it where that says more than `Error`."""
    code, reason = terminated.get("exitCode"), terminated.get("reason")
    return f"exit code {code}" + (f", {reason}" if reason not in (None, "Error", "Completed") else "")
