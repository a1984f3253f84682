"""What a tenant costs and brings in a month, as staff and programs read it."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct


class CostOf(StrEnum):
    """What is paid for."""

    WORKSPACE = "workspace"
    """It runs: its pod, and its share of the servers."""
    STORAGE = "storage"
    """What its records and files take."""


class CostPart(Struct, frozen=True, kw_only=True):
    """One part of the cost."""

    of: CostOf
    quantity: Annotated[
        int | None, Meta(description="Workspaces that run, or bytes; null while the workspace does not say it.")
    ]
    unit_cents: Annotated[int, Meta(description="For a month, of one workspace or one GiB.")]
    cents: Annotated[int | None, Meta(description="For a month; null with the quantity.")]


class RevenueOf(StrEnum):
    """What is paid by."""

    CONTRACT = "contract"
    SUBSCRIPTION = "subscription"
    NOTHING = "nothing"
    """A trial, a plan that ended, or one that is free."""


class Margin(Struct, frozen=True, kw_only=True):
    """What a tenant costs and brings, at the rate of this moment."""

    currency: Annotated[str, Meta(description="Of the costs, such as `EUR`.")]
    parts: Annotated[tuple[CostPart, ...], Meta(description="What the cost is made of.")]
    cost_cents: Annotated[int, Meta(description="For a month: the sum of the parts that are known.")]
    is_whole: Annotated[bool, Meta(description="Whether all parts are known.")]
    revenue_of: RevenueOf
    revenue_cents: Annotated[int, Meta(description="For a month, without tax; of a longer period its part.")]
    revenue_currency: Annotated[str, Meta(description="Of the revenue.")]
    margin_cents: Annotated[
        int | None, Meta(description="Revenue without costs; null where a part or a common currency is lacking.")
    ]
    share: Annotated[float | None, Meta(description="The margin's share of the revenue; null with it, and of none.")]
