"""An operation as a Kubernetes Job: its manifests, and how far it is as its pod says. Pure.

Each step is a container, and all but the last are init containers: kubelet runs them in order, records when each began
and ended, and passes on what it wrote to its termination log. The pod has no account in the cluster; all it may reach
is in its Secret, which lives as long as the operation.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from pydantic import BaseModel, Field, ValidationError
from vivero_core.model import constants as c
from vivero_core.model.base import Metadata
from vivero_core.model.operation import OperationStep

from vivero_operator.archiver.configuration import STORAGE_KEYS
from vivero_operator.instance import Manifest, owner_reference
from vivero_operator.operations.orders import FOLDER
from vivero_operator.pod_options import CONTAINER_SECURITY, POD_SECURITY, with_options
from vivero_operator.settings import Settings

ATTEMPTS: Final = 3
"""Pods that are started for an operation before it has failed; the Job controller waits longer before each."""
DEADLINE_SECONDS: Final = 6 * 3600
REFUSED_EXIT: Final = 3
"""Exit code of a program that no further attempt can help."""
_SCRATCH: Final = "/var/operation"
_PENDING_WORTH_TELLING: Final = frozenset({"ErrImagePull", "ImagePullBackOff", "CreateContainerConfigError"})


@dataclass(frozen=True)
class Operation:
    """One run of a program of the package `operations`."""

    program: str
    """Its module."""
    kind: str
    owner: Metadata
    """The custom resource it is done for, which its objects go away with."""
    steps: tuple[str, ...]
    files: Mapping[str, str] = field(repr=False)
    """Name to content: what the program reads below VIVERO_SECRETS_DIR."""
    storage_secret: str
    """Secret in the platform's namespace with the backup bucket's address and account."""
    scratch: str
    """Room on the node's disk for what one step leaves to the next, at most."""
    kept_seconds: int | None = None
    """How long its Job is kept once it has ended; None: as long as its owner."""
    about: str | None = None
    """Id of whose data it is, where one owner has operations on the data of many."""

    @property
    def name(self) -> str:
        """Of its Job and its Secret."""
        return name_of(self.program, self.about or self.owner.uid)


class Said(BaseModel):
    """What a step writes to its termination log."""

    message: str = ""
    """A sentence for people."""
    result: dict[str, Any] = Field(default_factory=dict)
    """What programs read of it."""


class Outcome(Enum):
    """Of an operation."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    """Failed, and no further attempt can help."""


@dataclass(frozen=True)
class Progress:
    """How far an operation is."""

    outcome: Outcome
    steps: tuple[OperationStep, ...]
    result: Mapping[str, Any]
    """What the last step that ended has said for programs."""
    message: str


def name_of(program: str, uid: str) -> str:
    """Of the Job of this program for the custom resource of this UID."""
    return f"{program}-{uid}"


def secret(operation: Operation, settings: Settings) -> Manifest:
    """What the operation needs to know."""
    data = {name: base64.b64encode(text.encode()).decode() for name, text in operation.files.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": _metadata(operation, settings), "data": data}


def job(operation: Operation, settings: Settings) -> Manifest:
    """The Job. A pod that fails is started again from its first step, unless it was refused."""
    kept = {} if operation.kept_seconds is None else {"ttlSecondsAfterFinished": operation.kept_seconds}
    refused = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [REFUSED_EXIT]}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata(operation, settings),
        "spec": {
            "backoffLimit": ATTEMPTS - 1,
            "activeDeadlineSeconds": DEADLINE_SECONDS,
            "podFailurePolicy": {"rules": [refused]},
            **kept,
            "template": with_options(_pod(operation, settings), settings.operator_pod),
        },
    }


def progress(steps: Sequence[str], job_body: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> Progress:
    """How far the operation is, from its Job and its pods; the newest pod is the present attempt."""
    newest = max(pods, key=lambda one: str(one["metadata"].get("creationTimestamp", "")), default=None)
    states = _states(newest or {})
    evicted = _evicted(newest or {})
    told = tuple(_step(name, states.get(name, {}), evicted) for name in steps)
    conditions = _conditions(job_body)
    result: Mapping[str, Any] = next(
        (said for name in reversed(steps) if (said := _said(states.get(name, {})).result)), {}
    )
    if "Complete" in conditions:
        return Progress(Outcome.DONE, told, result, "Complete")
    broken = next((one for one in told if one.state == "Failed"), None)
    if "Failed" in conditions:
        why = (broken and broken.message) or conditions["Failed"].get("message") or "the pod failed"
        refused = broken is not None and _exit_code(states[broken.name]) == REFUSED_EXIT
        outcome = Outcome.REFUSED if refused else Outcome.FAILED
        return Progress(outcome, told, result, f"{broken.name}: {why}" if broken else why)
    if broken is not None:
        return Progress(Outcome.RUNNING, told, result, f"{broken.name} failed and is retried: {broken.message}")
    running = next((one.name for one in told if one.state == "Running"), None)
    if running is None and all(one.state == "Done" for one in told):
        return Progress(Outcome.RUNNING, told, result, "All steps done; waiting for the Job to end")
    return Progress(Outcome.RUNNING, told, result, f"Running: {running}" if running else _waiting(newest, states))


def is_over(job_body: Mapping[str, Any]) -> bool:
    """Whether the Job has ended, however it did."""
    return not {"Complete", "Failed"}.isdisjoint(_conditions(job_body))


def _conditions(job_body: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Those that are true, by type."""
    found = job_body.get("status", {}).get("conditions", ())
    return {one["type"]: one for one in found if one.get("status") == "True"}


def _waiting(pod: Mapping[str, Any] | None, states: Mapping[str, Mapping[str, Any]]) -> str:
    if pod is None:
        return "Waiting for a pod"
    for name, state in states.items():
        reason = state.get("waiting", {}).get("reason")
        if reason in _PENDING_WORTH_TELLING:
            return f"Waiting for {name}: {reason}"
    for condition in pod.get("status", {}).get("conditions", ()):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return f"Waiting for a node: {condition.get('message', condition.get('reason', ''))}"
    return "Waiting for its pod to start"


def _states(pod: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    status = pod.get("status", {})
    found = (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ()))
    return {one["name"]: one.get("state", {}) for one in found}


def _evicted(pod: Mapping[str, Any]) -> str | None:
    """Why the kubelet has ended the pod, for example because it took more of the node's disk than it may."""
    status = pod.get("status", {})
    return status.get("message") or "Evicted" if status.get("reason") == "Evicted" else None


def _step(name: str, state: Mapping[str, Any], evicted: str | None = None) -> OperationStep:
    if "running" in state:
        return OperationStep(name=name, state="Running", started_at=state["running"].get("startedAt"))
    if "terminated" not in state:
        return OperationStep(name=name)
    ended = state["terminated"]
    done = _exit_code(state) == 0
    message = _said(state).message
    if not done and not message:
        message = evicted or f"{ended.get('reason', 'Error')}, exit code {ended.get('exitCode')}"
    return OperationStep(
        name=name,
        state="Done" if done else "Failed",
        started_at=ended.get("startedAt"),
        finished_at=ended.get("finishedAt"),
        message=message or None,
    )


def _exit_code(state: Mapping[str, Any]) -> int | None:
    code: int | None = state.get("terminated", {}).get("exitCode")
    return code


def _said(state: Mapping[str, Any]) -> Said:
    """What the step wrote to its termination log; nothing if that is not ours, for example of a program that was killed."""
    try:
        return Said.model_validate_json(state.get("terminated", {}).get("message") or "{}")
    except ValidationError:
        return Said()


def _labels(operation: Operation) -> dict[str, str]:
    return {
        c.LABEL_NAME: "vivero-operation",
        c.LABEL_COMPONENT: operation.program,
        c.LABEL_PART_OF: "vivero",
        c.LABEL_MANAGED_BY: c.FIELD_MANAGER,
    }


def _metadata(operation: Operation, settings: Settings) -> dict[str, Any]:
    return {
        "name": operation.name,
        "namespace": settings.platform_namespace,
        "labels": _labels(operation),
        "ownerReferences": [owner_reference(operation.kind, operation.owner)],
    }


def _pod(operation: Operation, settings: Settings) -> dict[str, Any]:
    containers = [_container(operation, step, settings) for step in operation.steps]
    return {
        "metadata": {"labels": _labels(operation)},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": POD_SECURITY,
            "initContainers": containers[:-1],
            "containers": containers[-1:],
            "volumes": _volumes(operation, settings),
        },
    }


def _container(operation: Operation, step: str, settings: Settings) -> dict[str, Any]:
    return {
        "name": step,
        "image": settings.operator_image,
        "imagePullPolicy": settings.operator_pull_policy,
        "command": ["python3", "-m", f"vivero_operator.operations.{operation.program}", step],
        "env": [
            {"name": "VIVERO_OPERATION_FILES", "value": FOLDER},
            {"name": "TMPDIR", "value": _SCRATCH},
            *(settings.lock.environment() if settings.lock else ()),
        ],
        "resources": {"requests": {"cpu": "50m", "memory": "96Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [
            {"name": "files", "mountPath": FOLDER, "readOnly": True},
            {"name": "scratch", "mountPath": _SCRATCH},
        ],
    }


def _volumes(operation: Operation, settings: Settings) -> list[dict[str, Any]]:
    storage = {
        "name": operation.storage_secret,
        "items": [{"key": key, "path": f"backup/{key}"} for key in STORAGE_KEYS],
    }
    sources = [
        {"secret": {"name": operation.name}},
        {"secret": storage},
        {"configMap": {"name": settings.ca_config_map, "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
    ]
    return [
        {"name": "files", "projected": {"defaultMode": 0o440, "sources": sources}},
        {"name": "scratch", "emptyDir": {"sizeLimit": operation.scratch}},
    ]
