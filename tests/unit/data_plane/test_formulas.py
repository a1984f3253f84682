"""The language of formulas: every text is read or refused with a place, and every value is SQL without it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.data_plane import builders
from vivero_data.domain.collections.schemas import Field
from vivero_data.domain.collections.seen import seen
from vivero_data.domain.field_types.options import Options, Result
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.formulas import compiler
from vivero_data.domain.formulas.reader import read, renamed
from vivero_data.domain.formulas.tree import Call, Constant, FormulaError, Node, Reference, references, written
from vivero_data.domain.formulas.values import Piece
from vivero_data.domain.roles.rights import CollectionRights, OwnRole
from vivero_data.domain.users.schemas import Actor, Role

COLUMNS = {"n": Result.NUMBER, "t": Result.TEXT, "b": Result.BOOLEAN, "d": Result.DATE, "m": Result.DATETIME}
PIECES = [
    "{n}",
    "{t}",
    "{d}",
    "1",
    ".5",
    '"x"',
    "'",
    "(",
    ")",
    ",",
    "+",
    "-",
    "*",
    "/",
    "^",
    "&",
    "=",
    "<>",
    "IF(",
    "LEFT(",
]
NAMES = st.text(min_size=1, max_size=12)
PRECEDENCE = {"=": 1, "<": 1, "&": 2, "+": 3, "-": 3, "*": 4, "%": 4, "^": 5}


def scope(reference: Reference) -> Piece:
    if reference.name not in COLUMNS:
        raise FormulaError(reference.at, "There is no such field")
    return compiler.column(reference.at, f"`{reference.name}`", COLUMNS[reference.name], 255, whole=False)


def refusal(text: str) -> FormulaError | None:
    try:
        compiler.compiled(read(text), scope)
    except FormulaError as error:
        return error
    return None


def bare(node: Node) -> object:
    """The tree without its places."""
    if isinstance(node, Call):
        return (node.name, *(bare(part) for part in node.parts))
    return node.value if isinstance(node, Constant) else ("field", node.name)


def printed(tree: object) -> str:
    """A formula of a tree as `bare` gives it, every operation in brackets."""
    match tree:
        case bool():
            return str(tree).upper()
        case Decimal():
            return f"{tree:f}"
        case str():
            return f'"{tree.replace(chr(34), chr(34) * 2)}"'
        case ("field", str() as name):
            return written(name)
        case (str() as name, left, right) if name in PRECEDENCE:
            return f"({printed(left)} {name} {printed(right)})"
        case (str() as name, *parts):
            return f"{name}({', '.join(map(printed, parts))})"
    raise AssertionError(tree)


LEAVES = st.decimals(0, 10**9, places=3) | st.text(max_size=8) | st.booleans() | st.tuples(st.just("field"), NAMES)
TREES = st.recursive(
    LEAVES,
    lambda inside: (
        st.tuples(st.sampled_from(sorted(PRECEDENCE)), inside, inside)
        | st.tuples(st.sampled_from(["IF", "SUM"]), inside, inside, inside)
    ),
    max_leaves=12,
)


@given(TREES)
def test_what_is_printed_is_read_again(tree: object) -> None:
    assert bare(read(printed(tree))) == tree


@given(st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
def test_any_text_is_read_or_refused_with_its_place(text: str) -> None:
    refused = refusal(text)
    assert refused is None or (0 <= refused.at <= len(text) and str(refused))


@pytest.mark.parametrize("text", ["(" * 1500, "-" * 1500, "IF(" * 500, "1" + "+1" * 900, "{n}" + "*{n}" * 100])
def test_what_is_too_large_is_refused(text: str) -> None:
    with pytest.raises(FormulaError):
        compiler.compiled(read(text), scope)


@given(st.text(max_size=40))
def test_a_text_is_never_in_the_sql(text: str) -> None:
    made = compiler.compiled(Constant(0, text + "'%s"), scope)
    assert made.result is Result.TEXT
    assert made.sql.isascii()
    assert "%" not in made.sql
    assert set(made.sql.split("x'")[1].split("'")[0]) <= set("0123456789abcdef")


@given(NAMES, NAMES)
def test_a_field_that_is_renamed_is_named_so_where_it_stands(old: str, new: str) -> None:
    text = f'  LEN( {written(old)} ) & "{{{old[:1].replace(chr(34), "")}}}" '
    found = renamed(text, {old: new})
    assert found == text.replace(f"LEN( {written(old)}", f"LEN( {written(new)}", 1)
    assert [one.name for one in references(read(found))] == [new]


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("-2^2", ("^", ("-", Decimal(2)), Decimal(2))),
        ("1-2-3", ("-", ("-", Decimal(1), Decimal(2)), Decimal(3))),
        ("1+2*3", ("+", Decimal(1), ("*", Decimal(2), Decimal(3)))),
        ('= {a}&"b" = "c"', ("=", ("&", ("field", "a"), "b"), "c")),
        ("if(true; 1; 2)", ("IF", True, Decimal(1), Decimal(2))),
    ],
)
def test_operators_group_as_in_spreadsheets(text: str, tree: object) -> None:
    assert bare(read(text)) == tree


def test_a_formula_that_tells_of_a_hidden_field_is_hidden_as_well() -> None:
    price, cost = (builders.field(FieldType.NUMBER, number, name=f"n{number}") for number in (1, 2))
    margin = formula(3, "{n1} - {n2}", {"n1": 1, "n2": 2})
    doubled = formula(4, "{n3} * 2", {"n3": 3})
    plain = formula(5, "{n1} * 2", {"n1": 1})
    collection = builders.collection(price, cost, margin, doubled, plain)
    role = OwnRole(1, "Clerk", collections={collection.id: CollectionRights(hidden=frozenset({2}))})
    shown = seen(Actor(1, "ada@example.com", "Ada", Role.MEMBER, own=role), collection)
    assert shown is not None
    assert shown.fields == (price, plain)


def formula(number: int, text: str, fields: dict[str, int]) -> Field:
    options = Options(formula=text, fields=fields, result=Result.NUMBER)
    return builders.field(FieldType.FORMULA, number, name=f"n{number}", options=options)
