"""Functions of formulas over generated values: dates, powers and texts in MariaDB are what Python makes of them."""

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from random import Random
from typing import Any, Final

from integration.data_plane.workspace import Workspace
from vivero_data.domain.collections import repository
from vivero_data.domain.collections.columns import table_name
from vivero_data.domain.collections.formulas import expression, resolved
from vivero_data.domain.collections.schemas import Field
from vivero_data.domain.field_types.options import Options
from vivero_data.domain.field_types.registry import FieldType

Row = dict[str, Any]
KINDS: Final = {
    **dict.fromkeys("nm", "number"),
    **dict.fromkeys("tu", "text"),
    **dict.fromkeys("de", "date"),
    **dict.fromkeys("sv", "datetime"),
}
LETTERS: Final = "aAbB zZ.,-+0123éÉøØжЖωΩ日👍"
ROWS: Final = 150
CLOSE: Final = Decimal("1e-11")


def generated(random: Random) -> Row:
    """Some empty, some at the edges, most in between."""
    day = date(1000, 1, 1) + timedelta(days=random.choice([0, 3_287_181, random.randrange(3_287_182)]))
    near = min(max(day.toordinal() + random.randrange(-800, 800), date(1000, 1, 1).toordinal()), date.max.toordinal())
    moment = datetime(1900 + random.randrange(300), random.randrange(1, 13), 28) + timedelta(  # noqa: DTZ001  as the database has it
        days=random.randrange(4), seconds=random.randrange(86_400)
    )
    text = "".join(random.choices(LETTERS, k=random.randrange(8)))
    row: Row = {
        "n": Decimal(random.randrange(-40_000, 40_000)) / random.choice([1, 10, 1000]),
        "m": Decimal(random.choice(["0", "1", "-1", "2", "3", "-2", "12", "100", "0.5", "-1.5", "7.25", "0.00000001"])),
        "t": random.choice([text, text, " 12.5 ", "-3", "1e5", "+0.25", "12.", "1" * 17]),
        "u": random.choice([text[1:3], random.choice(LETTERS), "".join(random.choices(LETTERS, k=2))]),
        "d": day,
        "e": date.fromordinal(near),
        "s": moment,
        "v": moment + timedelta(seconds=random.randrange(-(10**8), 10**8)),
    }
    return {name: None if random.random() < 0.08 or value == "" else value for name, value in row.items()}


def text_in(value: str | None) -> str:
    return value or ""


def stored(value: Any) -> Any:  # noqa: ANN401  of any type
    """As the formula's column holds it."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | Decimal):
        exact = round(Decimal(value), 8)
        return exact if abs(exact) < 10**16 else None
    if isinstance(value, str):
        return value if 0 < len(value) <= 500 else None
    return value


def power(base: Decimal | None, exponent: Decimal | None) -> Decimal | None:
    if base is None or exponent is None or (base == 0 and exponent < 0):
        return None
    if base == 0:
        return Decimal(exponent == 0)
    if base < 0 and exponent != exponent.to_integral_value():
        return None
    with localcontext(prec=60, Emin=-999_999, Emax=999_999):
        found = abs(base) ** exponent * (-1 if base < 0 and exponent % 2 else 1)
        return found if abs(found) < 10**20 else None


def remainder(number: Decimal | None, divisor: Decimal | None) -> Decimal | None:
    return number % divisor if number is not None and divisor else None


def found(wanted: str | None, text: str | None, start: int = 1) -> int:
    """Behind the last character nothing is found, not even an empty text."""
    said = text_in(text)
    return 0 if 1 < start > len(said) else said.find(text_in(wanted), start - 1) + 1


def cased(change: Callable[[str], str]) -> Callable[[Row], str]:
    return lambda row: "".join(new if len(new := change(one)) == 1 else one for one in text_in(row["t"]))


def value_of(text: str | None) -> Decimal | None:
    said = text_in(text).strip(" ")
    return Decimal(said) if re.fullmatch(r"[-+]?[0-9]{1,16}(\.[0-9]{1,10})?", said) else None


def months_later(day: date, months: int) -> Any:  # noqa: ANN401  a date, or one with a time
    whole = day.year * 12 + day.month - 1 + months
    year, month = divmod(whole, 12)
    if not 1000 <= year <= 9999:
        return None
    return day.replace(year=year, month=month + 1, day=min(day.day, monthrange(year, month + 1)[1]))


def later(day: date | None, amount: Decimal | None, unit: str) -> Any:  # noqa: ANN401  as above
    if day is None or amount is None:
        return None
    count = int(amount)
    if unit in MONTHS:
        return months_later(day, count * MONTHS[unit])
    try:
        moved = day + timedelta(**{unit: count})
    except OverflowError:
        return None
    return moved if moved.year >= 1000 else None


def apart(last: date | None, first: date | None, unit: str) -> int | None:
    if last is None or first is None:
        return None
    if unit not in MONTHS:
        return int((last - first) / timedelta(**{unit: 1}))
    sign, begin, end = (1, first, last) if last >= first else (-1, last, first)
    months = (end.year - begin.year) * 12 + end.month - begin.month
    clock = [
        (one.day, *((one.hour, one.minute, one.second) if isinstance(one, datetime) else ())) for one in (begin, end)
    ]
    return sign * ((months - (clock[1] < clock[0])) // MONTHS[unit])


def of_three(year: Decimal | None, month: int, day: Decimal | None) -> date | None:
    if year is None or day is None:
        return None
    first = months_later(date(2000, 1, 1), (int(year) - 2000) * 12 + month - 1)
    try:
        moved: date | None = first and first + timedelta(days=int(day) - 1)
    except OverflowError:
        return None
    return moved if moved and moved.year >= 1000 else None


MONTHS: Final = {"years": 12, "quarters": 3, "months": 1}
DAYS: Final = ("weeks", "days")
TIMES: Final = ("hours", "minutes", "seconds")


def part(one: str, name: str) -> Callable[[Row], Any]:
    return lambda row: row[one] and getattr(row[one], name)


def units(one: str) -> tuple[str, ...]:
    return (*MONTHS, *DAYS, *(TIMES if one in "sv" else ()))


def added(one: str, unit: str) -> Callable[[Row], Any]:
    return lambda row: later(row[one], row["n"], unit)


def difference(one: str, two: str, unit: str) -> Callable[[Row], Any]:
    return lambda row: apart(row[one], row[two], unit)


CASES: Final[dict[str, Callable[[Row], Any]]] = {
    "{n} ^ {m}": lambda row: power(row["n"], row["m"]),
    "{m} ^ {n}": lambda row: power(row["m"], row["n"]),
    "2 ^ {m}": lambda row: power(Decimal(2), row["m"]),
    "MOD({n}, {m})": lambda row: remainder(row["n"], row["m"]),
    "{n} % 7": lambda row: remainder(row["n"], Decimal(7)),
    'SWITCH({u}, "a", 1, "A", 2, "", 3, 0)': lambda row: {"a": 1, "A": 2, "": 3}.get(text_in(row["u"]), 0),
    'SWITCH({m}, 1, {t}, 2, "two")': lambda row: {1: text_in(row["t"]), 2: "two"}.get(row["m"], ""),
    "FIND({u}, {t})": lambda row: found(row["u"], row["t"]),
    "FIND({u}, {t}, 3)": lambda row: found(row["u"], row["t"], 3),
    'SUBSTITUTE({t}, {u}, "<>")': lambda row: (
        text_in(row["t"]).replace(row["u"], "<>") if row["u"] else text_in(row["t"])
    ),
    "VALUE({t})": lambda row: value_of(row["t"]),
    "UPPER({t})": cased(str.upper),
    "LOWER({t})": cased(str.lower),
    "TRIM({t})": lambda row: text_in(row["t"]).strip(" "),
    "MID({t}, 2, 3)": lambda row: text_in(row["t"])[1:4],
    "DATE({n}, 2, {m})": lambda row: of_three(row["n"], 2, row["m"]),
    "DATE({n}, 15, {n})": lambda row: of_three(row["n"], 15, row["n"]),
    **{f"{name.upper()}({{{one}}})": part(one, name) for name in ("year", "month", "day") for one in "ds"},
    **{f"{name.upper()}({{s}})": part("s", name) for name in ("hour", "minute")},
    **{f'DATEADD({{{one}}}, {{n}}, "{unit}")': added(one, unit) for one in "ds" for unit in units(one)},
    **{
        f'DATEDIFF({{{one}}}, {{{two}}}, "{unit}")': difference(one, two, unit)
        for one, two in ("de", "ed", "sv", "vs")
        for unit in units(one)
    },
    "DATEDIFF({d}, {e})": lambda row: apart(row["d"], row["e"], "days"),
}


def is_same(got: Any, expected: Any, formula: str) -> bool:  # noqa: ANN401  of any type
    if "^" in formula and got is not None and expected is not None:
        return bool(abs(got - expected) <= max(abs(expected) * CLOSE, Decimal("1e-8")))
    return bool(got == expected)


async def test_functions_give_what_a_second_implementation_says(workspace: Workspace, owner: dict[str, str]) -> None:
    random = Random(7)  # noqa: S311  a test
    await workspace.collection(owner, *({"name": name, "type": kind} for name, kind in KINDS.items()))
    rows = [generated(random) for _ in range(ROWS)]
    sent = [
        {name: f"{value.isoformat()}Z" if isinstance(value, datetime) else str(value)
         for name, value in row.items() if value is not None}
        for row in rows
    ]  # fmt: skip
    made = await workspace.client.post(
        "/api/v1/collections/Contacts/records/batch", json={"create": [{"values": row} for row in sent]}, headers=owner
    )
    assert made.is_success, made.text
    async with workspace.app.state.services.database.read() as connection:
        (collection,) = await repository.select_all(connection)
        wrong = []
        for formula, of in CASES.items():
            field = Field(
                0, 0, "f", FieldType.FORMULA, required=False, unique=False, exact=False, indexed=False, default=None,
                choices=(), options=Options(formula=formula),
            )  # fmt: skip
            field = resolved(field, collection.fields)
            sql = expression(field, [*collection.fields, field])
            found = await connection.fetch_all(f"SELECT {sql} FROM {table_name(collection.id)} ORDER BY id")  # noqa: S608
            wrong += [
                (formula, got, expected, row)
                for row, (got,) in zip(rows, found, strict=True)
                if not is_same(got, expected := stored(of(row)), formula)
            ]
    assert wrong == []
