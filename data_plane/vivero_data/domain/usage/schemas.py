"""Usage as the API and the pages see it."""

from typing import Annotated

import msgspec


class Meter(msgspec.Struct, frozen=True):
    """How much of a limit is used."""

    used: Annotated[int, msgspec.Meta(description="What there is.")]
    limit: Annotated[int | None, msgspec.Meta(description="What the plan allows; null is unlimited.")]


class Usage(msgspec.Struct, frozen=True):
    """What counts against the plan."""

    plan: Annotated[str, msgspec.Meta(description="The plan's name.")]
    records: Annotated[Meter, msgspec.Meta(description="Of all collections together.")]
    users: Annotated[Meter, msgspec.Meta(description="Active ones.")]
    storage_bytes: Annotated[Meter, msgspec.Meta(description="Of the contents of files.")]
