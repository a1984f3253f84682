"""What happened to a tenant between two looks at it, and what an endpoint is told of it. No I/O.

Events come from what the cluster holds, not from who changed it: so an order of the console, a payment, a trial that
ends, kubectl and GitOps are all told, and a program that dies behind its write forgets none.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct, json, structs, to_builtins
from vivero_core.model import conditions
from vivero_core.model.constants import ConditionType, SuspensionReason
from vivero_core.model.tenant import Tenant
from vivero_web.clock import in_utc
from vivero_web.errors import FieldError
from vivero_web.webhook_sender import url_problem

from vivero_control.domain.webhooks.schemas import RESTS_FOR, SWITCHED_OFF_AFTER, EventType


class State(Struct, frozen=True, kw_only=True):
    """What was last seen of a tenant, as far as events depend on it."""

    id: str
    slug: str
    display_name: str
    plan: str
    worked: bool
    """Whether it has worked at any time."""
    suspended: str | None
    """The reason."""
    deleted: bool


class Happening(Struct, frozen=True):
    """An event of a tenant, with what belongs to it alone."""

    type: EventType
    detail: Mapping[str, Any] = {}


def state_of(tenant: Tenant) -> State | None:
    """None for a spare: it is nobody's yet."""
    if tenant.spec.slug is None:
        return None
    return State(
        id=tenant.id,
        slug=tenant.spec.slug,
        display_name=tenant.spec.display_name,
        plan=tenant.spec.plan,
        worked=conditions.is_true(tenant.status.conditions, ConditionType.READY),
        suspended=str(tenant.spec.suspended.reason) if tenant.spec.suspended else None,
        deleted=tenant.metadata.deletion_timestamp is not None,
    )


def remembered(before: State | None, now: State) -> State:
    """What is kept: that it has worked, and that it is deleted, stay so."""
    if before is None:
        return now
    return structs.replace(now, worked=now.worked or before.worked, deleted=now.deleted or before.deleted)


def happenings(before: State | None, after: State) -> list[Happening]:
    """In the order in which they are told; nothing more is told of what is deleted."""
    if before is not None and before.deleted:
        return []
    was = before or structs.replace(after, worked=False, suspended=None, deleted=False)
    found = [] if before else [Happening(EventType.CREATED)]
    if after.worked and not was.worked:
        found.append(Happening(EventType.READY))
    if after.plan != was.plan:
        found.append(Happening(EventType.PLAN_CHANGED, {"previous_plan": was.plan}))
    if after.suspended != was.suspended:
        found += _of_suspension(after.suspended)
    if after.deleted:
        found.append(Happening(EventType.DELETED))
    return found


def _of_suspension(reason: str | None) -> list[Happening]:
    """The end of a trial is told by itself, before the suspension that follows from it."""
    if reason is None:
        return [Happening(EventType.RESUMED)]
    suspended = Happening(EventType.SUSPENDED, {"reason": reason})
    ended = [Happening(EventType.TRIAL_ENDED)] if reason == SuspensionReason.TRIAL_ENDED else []
    return [*ended, suspended]


def body(of: Happening, tenant: Mapping[str, Any], state: State | None, at: datetime) -> str:
    """What is sent. `tenant` names it and numbers its events; nothing of a person is in it."""
    known = to_builtins(state) if state else {}
    for word in ("worked", "deleted"):
        known.pop(word, None)
    data = {**tenant, **known, **of.detail}
    said = {"type": of.type.value, "timestamp": in_utc(at).isoformat(timespec="seconds"), "data": data}
    return json.encode(said).decode()


def problems(url: str | None) -> list[FieldError]:
    """With an address that messages are to go to, if one is given."""
    problem = url_problem(url) if url is not None else None
    return [FieldError("url", problem)] if problem else []


def in_order(events: Iterable[EventType]) -> list[EventType]:
    """Each once."""
    chosen = set(events)
    return [one for one in EventType if one in chosen]


def rests(failing_since: datetime | None, newest: datetime | None, now: datetime) -> bool:
    """Whether an endpoint that failed a moment ago is left alone (circuit breaker open); `newest` is its last attempt."""
    return failing_since is not None and newest is not None and now - newest < RESTS_FOR


def is_given_up(failing_since: datetime | None, now: datetime) -> bool:
    """Whether an endpoint that has just failed again is switched off."""
    return failing_since is not None and now - failing_since >= SWITCHED_OFF_AFTER
