"""The plan's limits as the operator mounts them (limits.json)."""

from datetime import datetime
from typing import Annotated

import msgspec

Bound = Annotated[int, msgspec.Meta(ge=0)]


class Limits(msgspec.Struct, frozen=True):
    """What the plan allows; None is unlimited. `trial_ends_at` (RFC 3339) only on a trial.

    `holds_data`: the workspace has been in use, so an empty schema is a loss and no beginning.
    """

    plan: Annotated[str, msgspec.Meta(min_length=1, max_length=63)]
    records: Bound | None = None
    users: Bound | None = None
    storage_bytes: Bound | None = None
    requests_per_minute: Annotated[int, msgspec.Meta(ge=1)] | None = None
    features: tuple[str, ...] = ()
    trial_ends_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    holds_data: bool = False
