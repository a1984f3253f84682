"""Endpoints, the events that they are told of, and attempts, as the API and the pages have them."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct
from vivero_web.errors import ConflictError, NotFoundError
from vivero_web.fields import documented
from vivero_web.webhook_sender import URL_MAX

MOST: Final = 20
"""Endpoints in all: each event is a job for every one of them."""
ANSWER_MAX: Final = 500
"""Characters of an answer that are kept."""
OLD_SECRET_FOR: Final = timedelta(hours=24)
"""How long messages are signed with the secret from before a rotation, too."""
SWITCHED_OFF_AFTER: Final = timedelta(days=3)
"""Of failures without a success in between."""
RESTS_FOR: Final = timedelta(seconds=45)
"""After a failure, for all messages but those that are sent by hand: one that does not answer holds up no other for long."""
KEEP_EVENTS: Final = timedelta(days=30)
"""Events and attempts: so long one can be sent again."""
PAGE_MAX: Final = 200


class EventType(StrEnum):
    """What happens to a tenant."""

    CREATED = "tenant.created"
    """Somebody's, also where a spare was claimed."""
    READY = "tenant.ready"
    """It was seen to work for the first time."""
    SUSPENDED = "tenant.suspended"
    RESUMED = "tenant.resumed"
    DELETED = "tenant.deleted"
    PLAN_CHANGED = "tenant.plan_changed"
    TRIAL_ENDED = "tenant.trial_ended"
    PAYMENT_FAILED = "tenant.payment_failed"
    """The provider tries again."""
    PAID = "tenant.paid"
    """An invoice, online or of a contract."""


Url = Annotated[
    str, documented("Where messages go: https, on the Internet. Redirects are not followed.", maxLength=URL_MAX)
]
Events = Annotated[
    tuple[EventType, ...], Meta(min_length=1, max_length=len(EventType), description="Of which of them it is told.")
]
Active = Annotated[bool, Meta(description="Whether anything is sent.")]


class Endpoint(Struct, frozen=True, kw_only=True):
    """A program that is told, without its secret."""

    id: Annotated[int, Meta(description="Its number.")]
    url: Url
    events: Events
    active: Active
    made_by: Annotated[str, Meta(description="E-mail of who made it; they are told when it is switched off.")]
    made_at: Annotated[datetime, Meta(description="When it was made.")]
    failing_since: Annotated[
        datetime | None, Meta(description="Since when no attempt has succeeded; null if the last one did.")
    ] = None
    old_secret_until: Annotated[
        datetime | None,
        Meta(description="Until when messages are signed with the secret before, too; null without one."),
    ] = None


class CreatedEndpoint(Endpoint, frozen=True, kw_only=True):
    """An endpoint with the secret of its signatures: this answer is the only one that has it."""

    secret: Annotated[str, Meta(description="`whsec_…`, as libraries of standardwebhooks.com take it.")]


class EndpointList(Struct, frozen=True, kw_only=True):
    """All of them."""

    items: Annotated[tuple[Endpoint, ...], Meta(description="The newest first.")]


class NewEndpoint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An endpoint to make."""

    url: Url
    events: Events


class EndpointChanges(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; absent fields stay as they are."""

    url: Url | None = None
    events: Events | None = None
    active: Active | None = None


class Attempt(Struct, frozen=True, kw_only=True):
    """A request that was sent, or could not be."""

    id: Annotated[int, Meta(description="Grows from attempt to attempt.")]
    at: Annotated[datetime, Meta(description="When it ended.")]
    message: Annotated[str, Meta(description="The header webhook-id: the same for all attempts of a message.")]
    event: EventType
    tenant: Annotated[str, Meta(description="Name of the tenant that it tells of.")]
    number: Annotated[int, Meta(description="1 for the first attempt of the message.")]
    status: Annotated[int | None, Meta(description="HTTP status of the answer; null without one.")]
    problem: Annotated[str, Meta(description="What went wrong; empty if it was delivered.")]
    answer: Annotated[str, Meta(description=f"The first {ANSWER_MAX} characters of the answer, of what came at once.")]


class AttemptPage(Struct, frozen=True, kw_only=True):
    """A page of attempts."""

    items: Annotated[tuple[Attempt, ...], Meta(description="The newest first.")]
    next_cursor: Annotated[str | None, Meta(description="Leads to the page behind; null on the last.")]


class EndpointNotFoundError(NotFoundError):
    """There is none of this number."""

    def __init__(self) -> None:
        super().__init__("There is no such webhook.")


class MessageNotFoundError(NotFoundError):
    """It was never for this endpoint, or is not kept any more."""

    def __init__(self) -> None:
        super().__init__(f"There is no such message of this webhook; they are kept for {KEEP_EVENTS.days} days.")


class TooManyEndpointsError(ConflictError):
    """Each makes every event a job more."""

    slug = "too-many-webhooks"
    title = "Too many webhooks"

    def __init__(self) -> None:
        super().__init__(f"There are {MOST} webhooks. Delete one that is not needed.")


class SwitchedOffError(ConflictError):
    """Nothing is sent there."""

    slug = "webhook-is-off"
    title = "Switched off"

    def __init__(self) -> None:
        super().__init__("This webhook is switched off. Switch it on first.")
