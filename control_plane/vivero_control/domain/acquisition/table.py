"""A table of costs as people paste it: from a spreadsheet or a CSV file, in the notation of their country. Pure."""

import csv
import io
import re
from collections.abc import Sequence
from datetime import MINYEAR, date
from typing import Final

from vivero_web.errors import FieldError, InvalidInputError
from vivero_web.spreadsheets import BYTE_ORDER_MARK

from vivero_control.domain.acquisition.policies import channel_of
from vivero_control.domain.acquisition.schemas import MOST, MOST_CENTS, ChannelCost

COLUMNS: Final = ("month", "channel", "amount", "currency")
FIELD: Final = "table"
_MONTH: Final = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})(-\d{2})?|(?P<month_>\d{1,2})/(?P<year_>\d{4})")
_SPACES: Final = re.compile(r"[\s\u00a0\u202f'’€$£]|[A-Z]{3}")  # noqa: RUF001  Swiss groups have an apostrophe
_AMOUNT: Final = re.compile(r"(?P<whole>\d+)([.,](?P<cents>\d{1,2}))?")
_GROUPED: Final = re.compile(
    r"(?P<whole>\d{1,3}(?P<group>[.,])\d{3}((?P=group)\d{3})*)(?P<rest>(?!(?P=group))[.,]\d{1,2})?"
)
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


def read(text: str) -> tuple[ChannelCost, ...]:
    """The costs of a table; its first line may name the columns.

    Raises:
        InvalidInputError: of `table`, naming every line at fault.
    """
    rows = [row for row in _rows(text) if any(cell.strip() for cell in row)]
    names = [cell.strip().casefold() for cell in rows[0]] if rows else []
    headed = "month" in names
    if headed and (lacking := {*COLUMNS[:3]} - {*names}):
        raise InvalidInputError.of(FIELD, f"The first line lacks the column {min(lacking)}.")
    order = names if headed else list(COLUMNS)
    body = rows[1:] if headed else rows
    if not 0 < len(body) <= MOST:
        raise InvalidInputError.of(FIELD, f"Paste at least one line, and at most {MOST:,}.")
    found, wrong = list[ChannelCost](), list[FieldError]()
    for number, row in enumerate(body, start=1 + headed):
        try:
            found.append(_cost(dict(zip(order, (cell.strip() for cell in row), strict=False))))
        except ValueError as error:
            wrong.append(FieldError(FIELD, f"Line {number}: {error}"))
    if wrong:
        raise InvalidInputError.of_all(wrong)
    return tuple(found)


def _rows(text: str) -> list[Sequence[str]]:
    """By the separator of the first line; a text that is no CSV is one column, which its lines say."""
    whole = text.removeprefix(BYTE_ORDER_MARK)
    first = whole.lstrip().partition("\n")[0]
    separator = next((one for one in "\t;," if one in first), ",")
    try:
        return list(csv.reader(io.StringIO(whole), delimiter=separator, strict=True))
    except csv.Error as error:
        raise InvalidInputError.of(FIELD, f"This is no table: {error}.") from error


def _cost(cells: dict[str, str]) -> ChannelCost:
    """Raises ValueError, with a sentence."""
    channel = channel_of(cells.get("channel", ""))
    if not channel:
        raise ValueError("Name the channel.")
    currency = cells.get("currency", "").upper() or "EUR"
    if not _CURRENCY.fullmatch(currency):
        raise ValueError("Give the currency by its three letters, such as EUR.")
    return ChannelCost(
        month=_month(cells.get("month", "")), channel=channel, cents=cents(cells.get("amount", "")), currency=currency
    )


def _month(text: str) -> date:
    found = _MONTH.fullmatch(text)
    year, month = (int(found[one] or found[f"{one}_"]) for one in ("year", "month")) if found else (0, 0)
    if not (year >= MINYEAR and 1 <= month <= 12):  # noqa: PLR2004  of a year
        raise ValueError("Give the month as 2026-11 or 11/2026.")
    return date(year, month, 1)


def cents(text: str) -> int:
    """An amount as it is written in any country: 1,234.50 and 1.234,50; not 1.234, which is two numbers.

    Raises:
        ValueError: with a sentence.
    """
    plain = _SPACES.sub("", text)
    if not plain.isascii():
        raise ValueError("Write the amount in digits, such as 1234.50.")
    if found := _AMOUNT.fullmatch(plain):
        whole, rest = found["whole"], found["cents"] or ""
    elif (found := _GROUPED.fullmatch(plain)) and (found["rest"] or found["whole"].count(found["group"]) > 1):
        whole, rest = found["whole"].replace(found["group"], ""), (found["rest"] or ".")[1:]
    elif found:
        raise ValueError(
            f"{text} can be read in two ways. Write {text.strip()}{',' if found['group'] == '.' else '.'}00."
        )
    else:
        raise ValueError("Write the amount in digits, such as 1234.50.")
    if len(whole) > len(str(MOST_CENTS)) or (amount := int(whole) * 100 + int(rest.ljust(2, "0"))) > MOST_CENTS:
        raise ValueError(f"An amount is at most {MOST_CENTS // 100:,}.")
    return amount


def written(costs: Sequence[ChannelCost]) -> str:
    """The same table with every line as it was understood."""
    lines = [",".join(COLUMNS)]
    for one in costs:
        cell = io.StringIO()
        csv.writer(cell, lineterminator="").writerow(
            [f"{one.month:%Y-%m}", one.channel, f"{one.cents // 100}.{one.cents % 100:02}", one.currency]
        )
        lines.append(cell.getvalue())
    return "\n".join(lines)
