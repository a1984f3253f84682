"""The functions of formulas that take or give dates, as SQL. A date and time counts in UTC, as it is stored."""

from collections.abc import Callable, Mapping
from typing import Final

from vivero_data.domain.field_types.options import Result
from vivero_data.domain.formulas.signatures import Function
from vivero_data.domain.formulas.tree import FormulaError
from vivero_data.domain.formulas.values import NAMES, Piece, as_type, number, whole

_MONTHS: Final = "BETWEEN 12000 AND 119999"  # since the year 0: MariaDB's dates are from 1000 to 9999
_DAYS: Final = "BETWEEN 365243 AND 3652424"  # TO_DAYS of them
_SECONDS: Final = "BETWEEN 31556995200 AND 315569519999"  # TO_SECONDS of them
_FAR: Final = 10**12  # of any unit: further than all dates are apart
_UNITS: Final[Mapping[str, tuple[str, int]]] = {
    "years": ("MONTH", 12),
    "quarters": ("MONTH", 3),
    "months": ("MONTH", 1),
    "weeks": ("DAY", 7),
    "days": ("DAY", 1),
    "hours": ("SECOND", 3600),
    "minutes": ("SECOND", 60),
    "seconds": ("SECOND", 1),
}
"""As people write them: the unit of the server that they are counted in, and how many of those each is."""


def _dated(piece: Piece) -> Piece:
    return piece if piece.type is Result.DATETIME else as_type(piece, Result.DATE)


def _unit(piece: Piece, *dates: Piece) -> tuple[str, int]:
    """Raises FormulaError if it is no unit, or too small for days."""
    said = piece.constant.strip().lower() if isinstance(piece.constant, str) else ""
    unit = _UNITS.get(said) or _UNITS.get(f"{said}s")
    if unit is None:
        raise FormulaError(piece.at, f"Expected a unit in quotes: {', '.join(_UNITS)}")
    if unit[0] == "SECOND" and all(date.type is Result.DATE for date in dates):
        raise FormulaError(piece.at, f"A date has no {said}; use a date and time")
    return unit


def _date(at: int, year: Piece, month: Piece, day: Piece) -> Piece:
    """A 13th month is in the next year, a day 0 the last of the month before."""
    months = f"({whole(year, 0, 20_000)}*12+{whole(month, -240_000, 240_000)}-1)"
    first = f"(TO_DAYS(MAKEDATE({months} DIV 12,1)+INTERVAL MOD({months},12) MONTH)-1+{whole(day, -(10**7), 10**7)})"
    return Piece(
        at=at,
        type=Result.DATE,
        sql=f"(CASE WHEN {months} {_MONTHS} THEN CASE WHEN {first} {_DAYS} THEN FROM_DAYS({first}) END END)",
    )


def _added(at: int, date: Piece, amount: Piece, unit: Piece) -> Piece:
    date = _dated(date)
    name, factor = _unit(unit, date)
    more = f"{whole(amount, -_FAR, _FAR)}*{factor}"
    counted = {
        "MONTH": (f"YEAR({date.sql})*12+MONTH({date.sql})-1", _MONTHS),
        "DAY": (f"TO_DAYS({date.sql})", _DAYS),
        "SECOND": (f"TO_SECONDS({date.sql})", _SECONDS),
    }
    since, within = counted[name]
    sql = f"(CASE WHEN {since}+{more} {within} THEN {date.sql}+INTERVAL {more} {name} END)"
    return Piece(at=at, type=date.type, sql=sql)


def _between(at: int, later: Piece, earlier: Piece, unit: Piece | None = None) -> Piece:
    """Whole units, none of them begun; negative if the first date is the earlier one."""
    later, earlier = _dated(later), _dated(earlier)
    name, factor = _unit(unit, later, earlier) if unit else ("DAY", 1)
    since = f"TIMESTAMPDIFF({name},{earlier.sql},{later.sql})"
    return number(at, f"CAST({since} DIV {factor} AS DECIMAL(20,0))", 10**12)


def _part(name: str) -> Callable[..., Piece]:
    def build(at: int, date: Piece) -> Piece:
        return number(at, f"CAST({name}({_dated(date).sql}) AS DECIMAL(4,0))", 9999)

    return build


def _part_of_time(name: str) -> Callable[..., Piece]:
    def build(at: int, date: Piece) -> Piece:
        if date.type not in {Result.DATETIME, None}:
            raise FormulaError(date.at, f"Expected a date and time, found {NAMES[date.type]}")
        return number(at, f"CAST({name}({as_type(date, Result.DATETIME).sql}) AS DECIMAL(2,0))", 59)

    return build


_DIFFERENCE: Final = Function(
    "later, earlier, [unit]",
    'Whole days between two dates, or units: "years", "quarters", "months", "weeks", "hours", "minutes", "seconds".',
    _between,
    2,
    3,
)
DATE_FUNCTIONS: Final[Mapping[str, Function]] = {
    "DATE": Function("year, month, day", "A date of three numbers.", _date, 3, 3),
    "YEAR": Function("date", "Its year.", _part("YEAR")),
    "MONTH": Function("date", "Its month, 1 to 12.", _part("MONTH")),
    "DAY": Function("date", "Its day of the month.", _part("DAY")),
    "HOUR": Function("date and time", "Its hour in UTC, 0 to 23.", _part_of_time("HOUR")),
    "MINUTE": Function("date and time", "Its minute.", _part_of_time("MINUTE")),
    "DATEADD": Function("date, amount, unit", 'Another date, such as DATEADD({Due}, 14, "days").', _added, 3, 3),
    "DATEDIFF": _DIFFERENCE,
    "DATETIME_DIFF": _DIFFERENCE,
}
