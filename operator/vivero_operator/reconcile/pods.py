"""A tenant's pod, as far as reconciling cares."""

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from vivero_core.model import constants as c
from vivero_core.model.base import shortened

_STARTING: Final = frozenset({"ContainerCreating", "PodInitializing"})
_CRASHING: Final = "CrashLoopBackOff"
_SAME: Final = {"ErrImagePull": "ImagePullBackOff"}
"""What kubelet says in turns about one and the same trouble."""
_REASON: Final = re.compile(r"[A-Z][A-Za-z]{1,62}")
_MESSAGE_LIMIT: Final = 300


@dataclass(frozen=True)
class Trouble:
    """Why a pod cannot start or crashes, in Kubernetes' own words."""

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
    """Digest of the limits that the pod was last notified of, if it ever was."""
    revision: str | None
    """Digest of the template it was made from; None when that was before there were revisions."""
    trouble: Trouble | None
    restarts: int
    unready: Trouble | None = field(default=None, compare=False)
    """What its status says about why it is not ready, although that may be a matter of time."""
    unready_since: datetime | None = field(default=None, compare=False)
    version: str = field(default="", compare=False)
    """resourceVersion; that it alone changes is no news."""

    @property
    def news(self) -> Hashable:
        """The fields whose changes trigger a reconcile; scheduling and our own annotation do not."""
        return self.running, self.ready, self.ready and self.ip, self.going, self.limits, self.trouble, self.restarts

    @classmethod
    def parse(cls, body: dict[str, Any]) -> "Pod":
        meta, status = body["metadata"], body.get("status", {})
        conditions = {one["type"]: one for one in status.get("conditions", ())}
        containers = status.get("containerStatuses", ())
        annotations = meta.get("annotations", {})
        ready = conditions.get("Ready", {})
        return cls(
            name=meta["name"],
            namespace=meta["namespace"],
            tenant_id=meta.get("labels", {}).get(c.LABEL_TENANT, ""),
            ip=status.get("podIP"),
            running=any("running" in one.get("state", {}) for one in containers),
            ready=ready.get("status") == "True",
            asked=c.ANNOTATION_ASKED in annotations,
            going="deletionTimestamp" in meta,
            limits=annotations.get(c.ANNOTATION_LIMITS),
            revision=annotations.get(c.ANNOTATION_REVISION),
            trouble=next(_troubles(status, conditions, containers), None),
            restarts=sum(one.get("restartCount", 0) for one in containers),
            unready=_unready(ready, containers) if ready.get("status") != "True" else None,
            unready_since=_time(ready.get("lastTransitionTime") or meta.get("creationTimestamp")),
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
        yield from _of_container(container.get("state", {}), container.get("lastState", {}).get("terminated") or {})
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False":
        yield trouble(scheduled.get("reason"), scheduled.get("message"))
    if status.get("phase") == "Failed":
        yield trouble(status.get("reason"), status.get("message"))


def _of_container(state: dict[str, Any], last: dict[str, Any]) -> Iterator[Trouble]:
    """One that has crashed is crashing until its pod is ready, whatever it does at this moment."""
    waiting, ended = state.get("waiting", {}), state.get("terminated", {})
    if waiting.get("reason") not in {None, *_STARTING}:
        word = waiting["reason"]
        yield trouble(_SAME.get(word, word), _ending(last) if last else waiting.get("message"))
    elif ended.get("exitCode"):
        yield trouble(_CRASHING if last else ended.get("reason"), _ending(ended))
    elif last.get("exitCode"):
        yield trouble(_CRASHING, _ending(last))


def _unready(ready: dict[str, Any], containers: list[dict[str, Any]]) -> Trouble | None:
    waiting = (one.get("state", {}).get("waiting", {}) for one in containers)
    found = next((one for one in waiting if one.get("reason")), ready)
    return trouble(found["reason"], found.get("message")) if found.get("reason") else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _ending(terminated: dict[str, Any]) -> str:
    """How a container ended: its exit code, and Kubernetes' word for it where that says more than `Error`."""
    code, reason = terminated.get("exitCode"), terminated.get("reason")
    return f"exit code {code}" + (f", {reason}" if reason not in (None, "Error", "Completed") else "")
