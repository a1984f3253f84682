"""What happened to a tenant, as staff and programs read it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct


class Kind(StrEnum):
    """What an entry is about."""

    ACT = "act"
    """Orders of staff, what its owner did, and what the platform or a person in the cluster changed."""
    MAIL = "mail"
    JOB = "job"
    WEBHOOK = "webhook"
    """A message of the payment provider."""
    INVOICE = "invoice"
    BACKUP = "backup"
    """Backups and restores."""
    STATE = "state"
    """When each condition of the operator got the state that it has now."""
    PROGRESS = "progress"
    """From the signup to a workspace in use."""


class TimelineItem(Struct, frozen=True, kw_only=True):
    """One thing that happened."""

    at: Annotated[datetime, Meta(description="When it was begun, to the second.")]
    kind: Kind
    what: Annotated[str, Meta(description="In words.")]
    state: Annotated[str, Meta(description="What has come of it: such as `done`, `queued`, `sent`, `failed`, `paid`.")]
    detail: Annotated[str, Meta(description="What else is known: a reason, a recipient, an error.")] = ""
    actor: Annotated[str, Meta(description="Who it was; empty for the platform.")] = ""
    next_attempt_at: Annotated[
        datetime | None, Meta(description="Of a mail, job or webhook that waits: when it is tried next.")
    ] = None


class TimelinePage(Struct, frozen=True, kw_only=True):
    """A part of the timeline."""

    items: Annotated[tuple[TimelineItem, ...], Meta(description="The newest first.")]
    next_cursor: Annotated[str | None, Meta(description="Leads to the page behind; null on the last.")]
