"""Webhooks as the API and the pages see them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from litestar.params import PathParameter
from vivero_web.errors import ConflictError, NotFoundError
from vivero_web.fields import LARGEST, documented
from vivero_web.webhook_sender import URL_MAX

from vivero_data.domain.collections.names import MAX_NAME
from vivero_data.domain.collections.schemas import APART

MAX_WEBHOOKS: Final = 20

WebhookId = Annotated[int, PathParameter(ge=1, le=LARGEST, description="The webhook's number.")]


class Event(StrEnum):
    """What is told."""

    CREATED = "record.created"
    UPDATED = "record.updated"
    DELETED = "record.deleted"


Url = Annotated[
    str, documented("Where it is sent: https, on the Internet. Redirects are not followed.", maxLength=URL_MAX)
]
Events = Annotated[
    list[Event], msgspec.Meta(min_length=1, max_length=len(Event), description="Of which of them it tells.")
]
CollectionName = Annotated[
    Annotated[str, documented("Its name, in any case.", maxLength=MAX_NAME * APART)] | None,
    msgspec.Meta(description="Of which collection's records it tells; of all if null. Empty after its deletion."),
]
Active = Annotated[bool, msgspec.Meta(description="Whether anything is sent.")]


class Webhook(msgspec.Struct, frozen=True):
    """One webhook, without its secret."""

    id: Annotated[int, msgspec.Meta(description="Its number, which never changes.")]
    url: Url
    collection: CollectionName
    events: Events
    active: Active
    created_at: Annotated[datetime, msgspec.Meta(description="When it was made.")]
    failing_since: Annotated[
        datetime | None, msgspec.Meta(description="Since when no attempt has succeeded; null if the last one did.")
    ] = None


class CreatedWebhook(Webhook, frozen=True, kw_only=True):
    """A webhook with the secret of its signatures: this answer is the only one that has it."""

    secret: Annotated[str, msgspec.Meta(description="`whsec_…`, as libraries of standardwebhooks.com take it.")]


class NewWebhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A webhook to make."""

    url: Url
    events: Events
    collection: CollectionName = None


class WebhookChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; absent fields stay as they are."""

    url: Url | None = None
    events: Events | None = None
    active: Active | None = None


class Attempt(msgspec.Struct, frozen=True):
    """One request that was sent, or could not be."""

    id: Annotated[int, msgspec.Meta(description="Grows from attempt to attempt.")]
    at: Annotated[datetime, msgspec.Meta(description="When it ended.")]
    message: Annotated[str, msgspec.Meta(description="The header webhook-id: the same for all attempts of a message.")]
    event: Event
    number: Annotated[int, msgspec.Meta(description="1 for the first attempt of the message.")]
    status: Annotated[int | None, msgspec.Meta(description="HTTP status of the answer; null without one.")]
    problem: Annotated[str, msgspec.Meta(description="What went wrong; empty if it was delivered.")]
    next_at: Annotated[
        datetime | None, msgspec.Meta(description="When it was to be tried again; null if it was not.")
    ] = None


class WebhookNotFoundError(NotFoundError):
    """There is none of this number."""

    def __init__(self) -> None:
        super().__init__("There is no such webhook.")


class TooManyWebhooksError(ConflictError):
    """Each makes every change of a record a little slower."""

    def __init__(self) -> None:
        super().__init__(f"This workspace has {MAX_WEBHOOKS} webhooks; delete one first.")
