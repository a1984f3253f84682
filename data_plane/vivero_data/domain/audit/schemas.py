"""The audit log as the API and the pages see it."""

from datetime import datetime
from typing import Any

import msgspec

from vivero_data.lib.pages import DEFAULT_LIMIT


class AuditEntry(msgspec.Struct, frozen=True):
    """One change.

    Attributes:
        actor: e-mail of who did it, as it was then; "system" for the platform, "anonymous" for whoever was let in nowhere.
        action: `<noun>.<verb>`, for example `record.update`.
        subject: what was changed, for example `Contacts/17`.
        before: the changed values as they were; none for a creation.
        after: the changed values as they are; none for a deletion.
        address: where it came from, for IPv6 the network of the household; empty for the platform and in old entries.
    """

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str
    address: str = ""


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
