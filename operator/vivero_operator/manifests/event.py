"""Events (events.k8s.io/v1): what happened to one of our objects, for `kubectl describe`. Never anything secret."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from vivero_core.model import constants as c
from vivero_core.model.base import Metadata

from vivero_operator.instance import Manifest

NAMESPACE: Final = "default"
"""Where events about cluster-scoped objects are kept."""
CONTROLLER: Final = "vivero.dev/operator"
NOTE_LIMIT: Final = 1024
"""Bytes of UTF-8; the API server refuses an event with more."""
_INSTANCE_LIMIT: Final = 128
_NAME_LIMIT: Final = 253
_UNIQUE_DIGITS: Final = 16

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
class ObjectEvent:
    """What an event says."""

    subject: Subject
    type: EventType
    reason: str
    note: str
    action: str
    """What the operator did or was about to do, in CamelCase."""


def micro_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def series(count: int, last: datetime) -> dict[str, Any]:
    """That it has happened so often, the last time then."""
    return {"count": count, "lastObservedTime": micro_time(last)}


def _name(subject: str) -> str:
    return f"{subject[: _NAME_LIMIT - _UNIQUE_DIGITS - 1].rstrip('.-')}.{uuid.uuid4().hex[:_UNIQUE_DIGITS]}"


def _cut(text: str, limit: int) -> str:
    """At most so many bytes of UTF-8, and no half of a character."""
    return text.encode(errors="replace")[:limit].decode(errors="ignore")


def build(event: ObjectEvent, identity: str, now: datetime) -> Manifest:
    subject = event.subject
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": _name(subject.name), "namespace": NAMESPACE},
        "regarding": {
            "apiVersion": c.API_VERSION,
            "kind": subject.kind,
            "name": subject.name,
            "uid": subject.uid,
            "resourceVersion": subject.version,
        },
        "eventTime": micro_time(now),
        "reportingController": CONTROLLER,
        "reportingInstance": _cut(identity, _INSTANCE_LIMIT),
        "type": event.type,
        "reason": event.reason,
        "action": event.action,
        "note": _cut(event.note, NOTE_LIMIT),
    }
