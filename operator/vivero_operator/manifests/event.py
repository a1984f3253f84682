"""Events (events.k8s.io/v1): what happened to one of our objects, for `kubectl describe`. Never anything secret."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from vivero_core.model import constants as c
from vivero_core.model.base import Metadata

from vivero_operator.manifests.common import Manifest

NAMESPACE: Final = "default"
"""Where events about cluster-scoped objects are kept."""
NOTE_BYTES: Final = 1024
CONTROLLER: Final = "vivero.dev/operator"
_INSTANCE_LIMIT: Final = 128

EventType = Literal["Normal", "Warning"]


@dataclass(frozen=True)
class Subject:
    """The object that an event is about."""

    kind: str
    name: str
    uid: str
    version: str = ""

    @classmethod
    def of(cls, kind: str, metadata: Metadata) -> "Subject":
        return cls(kind, metadata.name, metadata.uid, metadata.resource_version)


@dataclass(frozen=True)
class Happening:
    """What an event says."""

    subject: Subject
    type: EventType
    reason: str
    note: str
    action: str
    """What the operator did or was about to do, in CamelCase."""


def micro_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def build(happening: Happening, identity: str, now: datetime) -> Manifest:
    subject = happening.subject
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{subject.name}.{uuid.uuid4().hex[:16]}", "namespace": NAMESPACE},
        "regarding": {
            "apiVersion": c.API_VERSION,
            "kind": subject.kind,
            "name": subject.name,
            "uid": subject.uid,
            "resourceVersion": subject.version,
        },
        "eventTime": micro_time(now),
        "reportingController": CONTROLLER,
        "reportingInstance": identity[:_INSTANCE_LIMIT],
        "type": happening.type,
        "reason": happening.reason,
        "action": happening.action,
        "note": _note(happening.note),
    }


def _note(text: str) -> str:
    """Kubernetes counts its bytes."""
    encoded = text.encode()
    return (
        text if len(encoded) <= NOTE_BYTES else encoded[: NOTE_BYTES - len("…".encode())].decode(errors="ignore") + "…"
    )
