"""Random formulas: what MariaDB gives for odd values is what a second, independent implementation says."""

from collections.abc import Callable
from decimal import ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, localcontext
from random import Random
from typing import Any, Final

import pytest
from integration.data_plane.workspace import Workspace
from vivero_data.domain.collections import repository
from vivero_data.domain.collections.columns import table_name
from vivero_data.domain.collections.formulas import expression, resolved
from vivero_data.domain.collections.schemas import Field
from vivero_data.domain.field_types.options import Options
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.formulas.reader import read
from vivero_data.domain.formulas.tree import Call, Constant, FormulaError, Node

NUMBERS: Final = (
    None,
    0,
    1,
    -1,
    "0.1",
    "-2.5",
    "0.00000001",
    "-0.00000001",
    "99.99999999",
    "9999999999999999.99999999",
)
TEXTS: Final = (None, "a", "A", "ab c", "ß", "é", "e\u0301", "👩‍👩‍👧", "日本", "x" * 200, "12.5", "' OR 1=1 --")
LARGEST_SUM: Final = Decimal(10) ** 22
LARGEST_PRODUCT: Final = Decimal(10) ** 20
STEP: Final = Decimal("1e-10")
COUNT: Final = 300

Value = Decimal | str | bool | None


def number_of(random: Random, depth: int) -> str:  # noqa: PLR0911  one for each kind of expression
    if depth == 0 or random.random() < 0.2:
        return random.choice(["{n}", "{m}", "{n}", "{m}", "2", "0.5", "10", "0.0000001", "123456789.12"])
    inside = [number_of(random, depth - 1) for _ in range(3)]
    kind = random.randrange(9)
    if kind < 4:
        return f"({inside[0]} {random.choice('+-*/')} {inside[1]})"
    if kind == 4:
        return f"{random.choice(['ABS', 'INT', '-'])}({inside[0]})"
    if kind == 5:
        return f"{random.choice(['ROUND', 'ROUNDDOWN'])}({inside[0]}, {random.randrange(-3, 10)})"
    if kind == 6:
        return f"{random.choice(['MIN', 'MAX', 'SUM'])}({', '.join(inside)})"
    if kind == 7:
        return f"LEN({text_of(random, depth - 1)})"
    return f"IF({truth_of(random, depth - 1)}, {inside[0]}, {inside[1]})"


def text_of(random: Random, depth: int) -> str:
    if depth == 0 or random.random() < 0.2:
        return random.choice(["{t}", "{u}", '"x"', '""', '"é👍"'])
    inside = [text_of(random, depth - 1) for _ in range(2)]
    kind = random.randrange(4)
    if kind == 0:
        return f"({inside[0]} & {inside[1]})"
    if kind == 1:
        return f"{random.choice(['LEFT', 'RIGHT'])}({inside[0]}, {random.randrange(6)})"
    if kind == 2:
        return f"({inside[0]} & {number_of(random, depth - 1)})"
    return f"IF({truth_of(random, depth - 1)}, {inside[0]}, {inside[1]})"


def truth_of(random: Random, depth: int) -> str:
    part = random.choice([number_of, text_of])
    compared = f"({part(random, depth)} {random.choice(['=', '<>', '<', '<=', '>', '>='])} {part(random, depth)})"
    return random.choice([compared, f"NOT({compared})", f"ISBLANK({part(random, depth)})"])


def rounded(value: Decimal, unit: Decimal = STEP) -> Decimal:
    return (value / unit).to_integral_value(ROUND_HALF_UP) * unit


def below(value: Decimal, limit: Decimal) -> Decimal | None:
    value = rounded(value)
    return value if abs(value) < limit else None


def shown(value: Value) -> str:
    if isinstance(value, Decimal):
        text = f"{value:.10f}".rstrip("0").rstrip(".")
        return "0" if text == "-0" else text
    return "" if value is None else str(value)


def arithmetic(sign: str, left: Value, right: Value) -> Value:
    if not isinstance(left, Decimal) or not isinstance(right, Decimal):
        return None
    if sign in "+-":
        return below(left + right if sign == "+" else left - right, LARGEST_SUM)
    if sign == "*":
        return below(left * right, LARGEST_PRODUCT)
    return below(left / right, LARGEST_PRODUCT) if right else None


def compared(sign: str, left: Value, right: Value) -> bool:
    left, right = (None if one == "" else one for one in (left, right))
    if sign in {"=", "<>"}:
        return (left == right) == (sign == "=")
    if left is None or right is None:
        return False
    orders: dict[str, Callable[[Any, Any], bool]] = {
        "<": lambda one, two: one < two,
        "<=": lambda one, two: one <= two,
        ">": lambda one, two: one > two,
        ">=": lambda one, two: one >= two,
    }
    return orders[sign](left, right)


def changed(name: str, value: Value, places: int) -> Value:
    if not isinstance(value, Decimal):
        return None
    if name == "ABS":
        return abs(value)
    if name == "INT":
        return value.to_integral_value(ROUND_FLOOR)
    unit = Decimal(1).scaleb(-places)
    if name == "ROUND":
        return rounded(value, unit)
    return (value / unit).to_integral_value(ROUND_DOWN) * unit


def chosen(name: str, parts: list[Value]) -> Value:
    filled = [one for one in parts if isinstance(one, Decimal)]
    if name == "SUM":
        total: Value = Decimal(0)
        for one in filled:
            total = arithmetic("+", total, one)
        return total
    return (min if name == "MIN" else max)(filled) if filled else None


def value_of(node: Node, row: dict[str, Value]) -> Value:  # noqa: C901, PLR0911  one for each kind of expression
    if isinstance(node, Constant):
        return node.value
    if not isinstance(node, Call):
        return row[node.name]
    name = node.name
    if name == "IF":
        return value_of(node.parts[1 if value_of(node.parts[0], row) is True else 2], row)
    parts = [value_of(part, row) for part in node.parts]
    first, last = parts[0], parts[-1]
    if name == "-" and len(parts) == 1:
        return -first if isinstance(first, Decimal) else None
    if name in "+-*/":
        return arithmetic(name, first, last)
    if name == "&":
        return shown(first) + shown(last)
    if name in {"LEFT", "RIGHT"}:
        text, count = shown(first), int(Decimal(str(last)))
        return text[:count] if name == "LEFT" else text[max(len(text) - count, 0) :]
    simple: dict[str, Callable[[], Value]] = {
        "LEN": lambda: Decimal(len(shown(first))),
        "NOT": lambda: first is not True,
        "ISBLANK": lambda: first in (None, ""),
    }
    if name in simple:
        return simple[name]()
    if name in {"MIN", "MAX", "SUM"}:
        return chosen(name, parts)
    if name in {"ABS", "INT", "ROUND", "ROUNDDOWN"}:
        return changed(name, first, int(Decimal(str(last))) if len(parts) > 1 else 0)
    return compared(name, first, last)


def stored(value: Value) -> Value:
    """As the column holds it."""
    if isinstance(value, Decimal):
        value = rounded(value, Decimal("1e-8"))
        return value if abs(value) < Decimal(10) ** 16 else None
    if isinstance(value, str):
        return value if 0 < len(value) <= 500 else None
    return value


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.full) for seed in range(3, 20))])
async def test_the_database_agrees_with_a_second_implementation(
    workspace: Workspace, owner: dict[str, str], seed: int
) -> None:
    random = Random(seed)  # noqa: S311  a test
    kinds = {"n": "number", "m": "number", "t": "text", "u": "text"}
    await workspace.collection(owner, *({"name": name, "type": kind} for name, kind in kinds.items()))
    rows: list[dict[str, Any]] = [
        {name: random.choice(NUMBERS if kind == "number" else TEXTS) for name, kind in kinds.items()} for _ in range(40)
    ]
    made = await workspace.client.post(
        "/api/v1/collections/Contacts/records/batch", json={"create": [{"values": row} for row in rows]}, headers=owner
    )
    assert made.is_success, made.text
    for row in rows:
        row.update({name: Decimal(str(row[name])) if row[name] is not None else None for name in ("n", "m")})
    database, asked = workspace.app.state.services.database, 0
    while asked < COUNT:
        build = random.choice([number_of, text_of, truth_of])
        text = build(random, random.randrange(1, 5))
        async with database.read() as connection:
            (collection,) = await repository.select_all(connection)
            field = Field(
                0, 0, "f", FieldType.FORMULA, required=False, unique=False, exact=False, indexed=False, default=None,
                choices=(), options=Options(formula=text),
            )  # fmt: skip
            try:
                field = resolved(field, collection.fields)
            except FormulaError:
                continue  # too much for one formula, or numbers beside texts
            asked += 1
            sql = expression(field, [*collection.fields, field])
            found = await connection.fetch_all(f"SELECT {sql} FROM {table_name(collection.id)} ORDER BY id")  # noqa: S608
        with localcontext(Context(prec=80)):
            for row, (got,) in zip(rows, found, strict=True):
                expected = stored(value_of(read(text), row))
                assert (bool(got) if isinstance(expected, bool) else got) == expected, (text, row)
