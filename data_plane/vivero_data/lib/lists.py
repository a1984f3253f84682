"""Several values in one text: `a,b`; pure."""

import re
from collections.abc import Iterable


def join_list(values: Iterable[str]) -> str:
    """The values with commas between them; a backslash goes before a comma or a backslash in one."""
    return ",".join(value.replace("\\", "\\\\").replace(",", "\\,") for value in values)


def split_list(text: str) -> list[str]:
    """The values of a joined list; a backslash is literal unless before a comma or a backslash."""
    values = [""]
    for part in re.findall(r"\\[,\\]|.", text, re.DOTALL):
        if part == ",":
            values.append("")
        else:
            values[-1] += part[-1]
    return values
