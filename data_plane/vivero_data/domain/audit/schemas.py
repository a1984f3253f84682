"""The audit log as the API and the pages see it."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from vivero_data.lib.pages import DEFAULT_LIMIT

SUBJECT_MAX: Final = 320
"""Characters that are kept of one."""
ACTOR_MAX: Final = 254
NAME_MAX: Final = 200
"""Characters that are kept of what a subject was called."""
SYSTEM: Final = "system"
"""The actor of changes made by the platform."""
SEAL: Final = "audit.seal"
"""The action of entries that seal the others (`chain.py`)."""
VERIFIED: Final = "audit.verify"
"""The action of entries that say what a verification found."""

KEY_MARK: Final = " (API key "
SUPPORT_MARK: Final = " (support of the platform)"
"""Between an actor's address and the key that a program used on their behalf."""


class AuditEntry(msgspec.Struct, frozen=True):
    """One change."""

    id: Annotated[int, msgspec.Meta(description="Grows from entry to entry.")]
    at: Annotated[datetime, msgspec.Meta(description="When it was done.")]
    actor: Annotated[
        str,
        msgspec.Meta(
            description="E-mail of the actor at that time, with the API key if a program acted on their behalf; `system` for the platform, `anonymous` without a login."
        ),
    ]
    action: Annotated[str, msgspec.Meta(description="`<noun>.<verb>`, for example `record.update`.")]
    subject: Annotated[str, msgspec.Meta(description="What was changed, for example `Contacts/17`.")]
    before: Annotated[
        dict[str, Any] | None, msgspec.Meta(description="The changed values before; null for a creation.")
    ]
    after: Annotated[dict[str, Any] | None, msgspec.Meta(description="The changed values after; null for a deletion.")]
    request_id: Annotated[str, msgspec.Meta(description="Of the request that made the change.")]
    address: Annotated[
        str,
        msgspec.Meta(
            description="Client address, for IPv6 its /64 network; empty for the platform and in old entries."
        ),
    ] = ""
    name: Annotated[
        str,
        msgspec.Meta(
            description="What the subject was called then, if its subject is a number or an address; empty in old entries."
        ),
    ] = ""


class AuditQuery(msgspec.Struct, frozen=True):
    """Which entries, newest first; an empty filter does not filter.

    Attributes:
        action: an action, or only its noun (`record`).
        subject: a prefix of the subject.
        since: from this time on.
        until: before this time.
    """

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    actor: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None
