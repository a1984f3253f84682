"""The words of a report's figures and groups; pure."""

from datetime import date, timedelta
from typing import Final

from vivero_data.domain.reports.schemas import Definition, Function, Grouping, Key, Measure, Order, Period, ReportData

EMPTY: Final = "Empty"
OTHERS: Final = "Others"
EARLIER: Final = "Earlier"
_FUNCTIONS: Final = {
    Function.COUNT: "Filled:",
    Function.SUM: "Sum of",
    Function.AVERAGE: "Average of",
    Function.MIN: "Smallest",
    Function.MAX: "Largest",
}
SYSTEM_NAMES: Final = {"id": "Number", "created_at": "Created", "updated_at": "Changed", "version": "Version"}
_QUARTER: Final = 3  # months


def field_label(name: str) -> str:
    """A field's name; of the columns that every record has, in words."""
    return SYSTEM_NAMES.get(name, name)


def measure_label(measure: Measure, unit: str = "") -> str:
    """`Sum of Amount (EUR)`."""
    if measure.field is None:
        return "Records"
    return f"{_FUNCTIONS[measure.function]} {field_label(measure.field)}{f' ({unit})' if unit else ''}"


def measure_labels(data: ReportData) -> list[str]:
    """Of all measures, in order."""
    return [measure_label(measure, unit) for measure, unit in zip(data.measures, data.units, strict=True)]


def grouping_label(grouping: Grouping) -> str:
    """`Date by month`."""
    return field_label(grouping.field) + (f" by {grouping.by}" if grouping.by else "")


def period_label(first: date, period: Period) -> str:
    """`29 Nov 2026`, `23 Nov 2026, week 48`, `Nov 2026`, `Q4 2026`, `2026`."""
    day = f"{first.day} {first:%b} {first.year}"
    return {
        Period.DAY: day,
        Period.WEEK: f"{day}, week {first.isocalendar().week}",
        Period.MONTH: f"{first:%b} {first.year}",
        Period.QUARTER: f"Q{(first.month - 1) // _QUARTER + 1} {first.year}",
        Period.YEAR: str(first.year),
    }[period]


def rest_label(definition: Definition, index: int) -> str:
    """What the groups beyond the limit are called."""
    in_order = index > 0 or definition.order is Order.GROUP
    return EARLIER if definition.group_by[index].by and in_order else OTHERS


def next_period(first: date, period: Period) -> date:
    """The first day of the following period.

    Raises:
        OverflowError, ValueError: the calendar ends.
    """
    if period is Period.DAY:
        return first + timedelta(days=1)
    if period is Period.WEEK:
        return first + timedelta(weeks=1)
    months = {Period.MONTH: 1, Period.QUARTER: _QUARTER, Period.YEAR: 12}[period]
    years, month = divmod(first.month - 1 + months, 12)
    return date(first.year + years, month + 1, 1)


def without_gaps(axis: tuple[Key, ...], period: Period, most: int) -> tuple[Key, ...]:
    """The periods with those in between that have no record, unless there are more than `most`."""
    found: list[Key] = []
    dated = [key for key in axis if not key.rest and key.value is not None]
    for key in dated:
        while found and (following := next_period(date.fromisoformat(found[-1].value), period).isoformat()) < key.value:
            found.append(Key(following, rest=False))
            if len(found) > most:
                return axis
        found.append(key)
    first, last = [key for key in axis if key.rest], [key for key in axis if not key.rest and key.value is None]
    return (*first, *found, *last)
