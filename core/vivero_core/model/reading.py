"""Parses a custom resource that may hold more, less or other things than this version knows.

What the API server took yesterday, or takes from a newer definition, must
never stop a program: an object that does not parse is a value that can be
reported, and deleted, like any other.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from vivero_core.model.base import Metadata, Resource, faults, shortened
from vivero_core.model.tenant import Tenant

R = TypeVar("R", bound=Resource)

_WHY_LIMIT: Final = 900
_PLACEHOLDERS: Final = {"displayName": "-", "plan": "unreadable", "slug": "unreadable"}
"""For what a Tenant cannot do without. With a slug it never counts as a spare, whose data goes with it."""


@dataclass(frozen=True)
class Unreadable:
    """An object whose spec this program cannot read."""

    metadata: Metadata
    body: dict[str, Any]
    why: str
    """Which fields, for people; holds no value of theirs."""

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def deletion_timestamp(self) -> datetime | None:
        return self.metadata.deletion_timestamp


def read(model: type[R], body: dict[str, Any]) -> "R | Unreadable":
    """The object. Of a status it leaves out what cannot be read: a status is ours, and the next write replaces it."""
    try:
        return model.parse(body)
    except ValidationError as error:
        why, odd = shortened(faults(error), _WHY_LIMIT), _odd(error)
    if any(part != "status" for part, _ in odd):
        return Unreadable(Metadata.model_validate(body["metadata"]), body, why)
    status = body["status"] if isinstance(body["status"], dict) else {}
    unread = {name for _, name in odd} & status.keys()
    try:
        return _without(model, body, status, unread)
    except ValidationError:  # a field is there under both of its names: nothing of the status is sure
        return _without(model, body, status, set(status))


def _without(model: type[R], body: dict[str, Any], status: dict[str, Any], unread: set[str]) -> R:
    kept = {key: value for key, value in status.items() if key not in unread}
    return model.parse({**body, "status": kept}).leaving_out(tuple(sorted(unread)))


def _odd(error: ValidationError) -> set[tuple[str, str]]:
    """(spec or status, its field) of each fault."""
    return {(str(one["loc"][0]), str(one["loc"][1]) if len(one["loc"]) > 1 else "") for one in error.errors()}


def salvaged(unreadable: Unreadable) -> Tenant:
    """A Tenant with what can be read of its spec: enough to delete it, and no more.

    A deletion policy that cannot be read is the default, Retain.
    """
    body = unreadable.body
    given = body["spec"] if isinstance(body.get("spec"), dict) else {}
    spec = {key: value for key, value in given.items() if value is not None}
    while True:
        try:
            return Tenant.parse({"metadata": body["metadata"], "spec": {**_PLACEHOLDERS, **spec}})
        except ValidationError as error:
            odd = {name for part, name in _odd(error) if part == "spec"} & spec.keys()
            if not odd:
                raise  # its metadata is at fault
            spec = {key: value for key, value in spec.items() if key not in odd}
