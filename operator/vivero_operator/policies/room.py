"""How much a tenant's namespace may use: enough for its pods and a rollout's surge, before, while and after its size changes.

While pods of two sizes run beside each other the quota has to hold the largest
number of pods at the largest size: a sum that is only right for the new ones
keeps the old ones from being replaced, forever.

The API server rewrites quantities (`500m`, `1.5Gi`) to a canonical form, so values are compared.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from vivero_core.model.plan import Workload

_UNITS: Final = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{unit: Decimal(1000 ** (power + 1)) for power, unit in enumerate("kMGTPE")},
    **{f"{unit}i": Decimal(1024 ** (power + 1)) for power, unit in enumerate("KMGTPE")},
}
"""As the API server prints them: two terabytes come back as `2T`, whatever was written."""
_FORM: Final = re.compile(rf"([0-9]+(?:\.[0-9]+)?)({'|'.join(filter(None, _UNITS))})?")


def parse(text: str) -> Decimal:
    """The value in base units (cores, bytes); ValueError when it is no quantity."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"not a quantity: {text!r}")
    return Decimal(match[1]) * _UNITS[match[2] or ""]


def render(value: Decimal) -> str:
    """The form the API server itself prints: whole mebibytes, whole units, else thousandths."""
    if value and value % _UNITS["Mi"] == 0:
        return f"{int(value / _UNITS['Mi'])}Mi"
    return str(int(value)) if value == value.to_integral_value() else f"{int(value * 1000)}m"


def same(one: str, other: str) -> bool:
    """Whether two texts are the same quantity, however written."""
    try:
        return parse(one) == parse(other)
    except ValueError:
        return one == other


Hard = dict[str, str]

SURGE: Final = 1  # the Deployment's maxSurge
_NOTHING: Final = {"persistentvolumeclaims": "0", "services.loadbalancers": "0", "services.nodeports": "0"}
"""What costs extra and no tenant needs."""


@dataclass(frozen=True)
class Room:
    """A number of pods and the size of each; a limit that is not set does not bound."""

    pods: int
    sizes: Mapping[str, Decimal]

    @classmethod
    def of(cls, size: Workload, guests: int = 0) -> "Room":
        """For the pods of a plan, one more, and as many terminating ones: those count until they are gone.

        `guests`: pods of that size that are not the tenant's own.
        """
        sizes = {
            "requests.cpu": parse(size.cpu_request),
            "requests.memory": parse(size.memory_request),
            "limits.memory": parse(size.memory_limit),
        }
        if size.cpu_limit:
            sizes["limits.cpu"] = parse(size.cpu_limit)
        return cls(2 * size.replicas + SURGE + guests, sizes)

    @classmethod
    def read(cls, hard: Mapping[str, str]) -> "Room | None":
        """The room that a quota of ours gives; None when it is none of ours."""
        try:
            pods = int(hard["pods"])
            totals = {name: parse(hard[name]) for name in _SIZED if name in hard}
        except (KeyError, ValueError):
            return None
        return cls(pods, {name: total / pods for name, total in totals.items()}) if pods > 0 else None

    def beside(self, other: "Room | None") -> "Room":
        """Room for pods of both at once.

        A limit that only one of them sets is left out: a quota with it refuses pods without.
        """
        if other is None:
            return self
        shared = {name: max(size, other.sizes[name]) for name, size in self.sizes.items() if name in other.sizes}
        return Room(max(self.pods, other.pods), shared)

    def hard(self) -> Hard:
        """As a ResourceQuota says it."""
        return {
            "pods": str(self.pods),
            **{name: render(_rounded_up(size) * self.pods) for name, size in self.sizes.items()},
            **_NOTHING,
        }


_SIZED: Final = ("requests.cpu", "requests.memory", "limits.memory", "limits.cpu")


def _rounded_up(size: Decimal) -> Decimal:
    """To thousandths: what Kubernetes tells apart."""
    return (size * 1000).to_integral_value(rounding="ROUND_CEILING") / 1000
