"""The words of a mail about a limit of the plan; pure."""

from collections.abc import Callable, Mapping
from typing import Final

from vivero_ui.filters import bytes_, number

from vivero_data.domain.identity.service import Identity
from vivero_data.domain.limits.service import Resource
from vivero_data.domain.usage.levels import FULL, percent

_NAMES: Final[Mapping[Resource, str]] = {"records": "records", "users": "users", "storage_bytes": "storage"}
_FREES: Final[Mapping[Resource, str]] = {
    "records": "delete records that are not needed any more",
    "users": "deactivate people who do not work here any more",
    "storage_bytes": "remove files that are not needed any more",
}


def letter(identity: Identity, plan: str, resource: Resource, used: int, limit: int) -> tuple[str, str]:
    """The subject and the text; `used` is the figure of now."""
    words: Callable[[int], str] = bytes_ if resource == "storage_bytes" else number
    share, name = percent(used, limit), _NAMES[resource]
    parts = (
        f"The workspace {identity.name} uses {words(used)} of the {words(limit)} of {name} in the {plan} plan.",
        "What is stored stays: it can be read, deleted and exported, whatever the figure."
        + (" Nothing can be added until there is room." if share >= FULL else ""),
        f"To make room, {_FREES[resource]}, or choose a larger plan, which counts at once:\n{identity.public_url}/usage",
        "You get this mail as an owner: once at 80 and once at 100 %, and again only after there was room.",
    )
    return f"{identity.name}: {share} % of the plan's {name} used", "\n\n".join(parts) + "\n"
