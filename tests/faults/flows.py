"""Everything that is done by hand step by step, each on tenants of its own; they may all happen at the same time."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from faults import losses, orders, sizes, strays
from faults.rig import Rig

FLOWS: Final[Mapping[str, Callable[[Rig], Awaitable[None]]]] = {
    **losses.FLOWS,
    **orders.FLOWS,
    **strays.FLOWS,
    **sizes.FLOWS,
}
