"""The price list as API and pages show it."""

from typing import Annotated

from msgspec import Meta, Struct
from vivero_core.model.plan import Feature


class PlanLimits(Struct, frozen=True, kw_only=True):
    """Bounds of use; null is unlimited."""

    records: Annotated[int | None, Meta(description="Of all collections together.")]
    users: Annotated[int | None, Meta(description="Active ones.")]
    storage_bytes: Annotated[int | None, Meta(description="Of the contents of files.")]
    requests_per_minute: Annotated[int | None, Meta(description="Of all users together.")]


class PlanView(Struct, frozen=True, kw_only=True):
    """One plan."""

    name: Annotated[str, Meta(description="Stable word for programs, for example `starter`.")]
    display_name: Annotated[str, Meta(description="Its name for people.")]
    description: Annotated[str, Meta(description="One sentence about it.")]
    price_cents: Annotated[int, Meta(description="For one month.")]
    currency: Annotated[str, Meta(description="Of the price, such as `EUR`.")]
    starting_at: Annotated[bool, Meta(description="True when the price is a floor and sales agree on the real one.")]
    offered: Annotated[bool, Meta(description="Whether it is on the public price list.")]
    trial_days: Annotated[int | None, Meta(description="Set on plans that can be tried without paying.")]
    support: Annotated[str, Meta(description="What help comes with it.")]
    limits: PlanLimits
    features: Annotated[tuple[Feature, ...], Meta(description="What is there today; a plan grows by it later.")]
