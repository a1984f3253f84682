"""The options of a field, as forms ask for them (`collections/_options.html.j2`); pure."""

import re
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Final

from vivero_web.text import whole_number

from vivero_data.domain.field_types.kind import FieldKind
from vivero_data.domain.field_types.options import Colour, Figure, Options

INPUTS: Final = ("currency", "coloured", "prefix", "digits", "collection", "link", "field", "figure", "formula")
"""Names of the inputs, each behind the prefix of its row."""
_NUMBERED: Final = re.compile(r"#?([0-9]{1,18})\s*$")  # Customers #17
_PALETTE: Final[tuple[Colour, ...]] = tuple(colour for colour in Colour if colour is not Colour.GREY)


def typed_options(kind: FieldKind, choices: Sequence[str], typed: Mapping[str, str]) -> Options:
    """The options that the type takes, of what was typed."""
    currency = typed.get("currency", "").strip().upper() if "currency" in kind.takes else ""
    coloured = "colours" in kind.takes and "coloured" in typed
    colours: dict[str, Colour] = dict(zip(choices, cycle(_PALETTE), strict=False)) if coloured else {}
    prefix = typed.get("prefix", "").strip() if "prefix" in kind.takes else ""
    digits = whole_number(typed.get("digits", "")) or 0 if "digits" in kind.takes else 0
    figure = typed.get("figure", "")
    formula = typed.get("formula", "").strip() if "formula" in kind.takes else ""
    return Options(
        currency=currency,
        colours=colours,
        prefix=prefix,
        digits=digits,
        collection=_number(kind, "collection", typed),
        link=_number(kind, "link", typed),
        field=_number(kind, "field", typed),
        figure=Figure(figure) if "figure" in kind.takes and figure in set(Figure) else Figure.COUNT,
        formula=formula,
    )


def _number(kind: FieldKind, name: str, typed: Mapping[str, str]) -> int:
    """The number at the end of what was chosen."""
    found = _NUMBERED.search(typed.get(name, "")) if name in kind.takes else None
    return int(found[1]) if found else 0
