"""The audit log as the API and the pages see it."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from vivero_data.lib.pages import DEFAULT_LIMIT

SUBJECT_MAX: Final = 320
"""Characters that are kept of one."""


class AuditEntry(msgspec.Struct, frozen=True):
    """One change."""

    id: Annotated[int, msgspec.Meta(description="Grows from entry to entry.")]
    at: Annotated[datetime, msgspec.Meta(description="When it was done.")]
    actor: Annotated[
        str,
        msgspec.Meta(
            description="E-mail of who did it, as it was then; `system` for the platform, `anonymous` for whoever was let in nowhere."
        ),
    ]
    action: Annotated[str, msgspec.Meta(description="`<noun>.<verb>`, for example `record.update`.")]
    subject: Annotated[str, msgspec.Meta(description="What was changed, for example `Contacts/17`.")]
    before: Annotated[
        dict[str, Any] | None, msgspec.Meta(description="The changed values as they were; null for a creation.")
    ]
    after: Annotated[
        dict[str, Any] | None, msgspec.Meta(description="The changed values as they are; null for a deletion.")
    ]
    request_id: Annotated[str, msgspec.Meta(description="Of the request that did it.")]
    address: Annotated[
        str,
        msgspec.Meta(
            description="Where it came from, for IPv6 the network of the household; empty for the platform and in old entries."
        ),
    ] = ""


class AuditQuery(msgspec.Struct, frozen=True):
    """Which entries, newest first; an empty filter does not filter.

    Attributes:
        action: a whole action, or a noun alone (`record`).
        subject: the beginning of the subject.
        since: from this moment on.
        until: before this moment.
    """

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    actor: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None
