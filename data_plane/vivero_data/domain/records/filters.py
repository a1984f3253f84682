"""A filter as text, `field:operator:value`, in the API's parameter and in the addresses of pages; pure.

The value is all the rest and may hold anything. A backslash takes its meaning
from a colon in the field's name, and from a comma in a list's value.
"""

import re
from collections.abc import Iterable
from typing import Final

import msgspec

_FILTER: Final = re.compile(r"(?P<field>(?:[^:\\]|\\.)+):(?P<operator>[^:]+)(?::(?P<value>.*))?", re.DOTALL)


class Filter(msgspec.Struct, frozen=True):
    """One condition on a column."""

    field: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{_escaped(self.field, ':')}:{self.operator}:{self.value}"


def parse_filter(text: str) -> Filter | None:
    """A condition from its text; None when it has no such form."""
    found = _FILTER.fullmatch(text)
    return (
        Filter(re.sub(r"\\(.)", r"\1", found["field"], flags=re.DOTALL), found["operator"], found["value"] or "")
        if found
        else None
    )


def join_list(values: Iterable[str]) -> str:
    """The value of a filter that takes several."""
    return ",".join(_escaped(value, ",") for value in values)


def split_list(text: str) -> list[str]:
    """The values in such a value; a backslash before anything else than a comma or another is itself."""
    values = [""]
    for part in re.findall(r"\\[,\\]|.", text, re.DOTALL):
        if part == ",":
            values.append("")
        else:
            values[-1] += part[-1]
    return values


def _escaped(text: str, sign: str) -> str:
    return text.replace("\\", "\\\\").replace(sign, f"\\{sign}")
