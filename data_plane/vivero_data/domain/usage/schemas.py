"""Usage as the API and the pages see it."""

import msgspec


class Meter(msgspec.Struct, frozen=True):
    """How much of a limit is used; no limit when None."""

    used: int
    limit: int | None


class Usage(msgspec.Struct, frozen=True):
    """What counts against the plan."""

    plan: str
    records: Meter
    users: Meter
    storage_bytes: Meter
