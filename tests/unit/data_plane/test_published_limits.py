"""The published limits are those that the code enforces, all of them, and docs/limits.md has the same figures."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import vivero_data
from vivero_data.domain.limits.service import Limits
from vivero_data.domain.usage.published import Counted, PublishedLimit, published
from vivero_ui.filters import bytes_, number

PROGRAM: Final = Path(vivero_data.__file__).parent
DOCS: Final = Path(__file__).parents[3] / "docs" / "limits.md"
UPLOAD: Final = 100 * 1024**2
INNER: Final = {
    "MAX_COLUMNS": "of an index, of a report's table; of an import it is published",
    "MAX_DECIMALS": "of an amount, said where the field is made",
    "MAX_DEPTH": "of a filter's groups, said where it is refused",
    "MAX_DESCRIPTION": "said where it is typed",
    "MAX_DIGITS": "of an automatic number, said where the field is made",
    "MAX_FILTERS": "of the short spelling of filters",
    "MAX_FOUND": "of what a picker shows",
    "MAX_GROUPINGS": "of a report's form, which has no more",
    "MAX_GROUPS": "of a report's table, which says so",
    "MAX_LIST": "of the values of one condition, said where it is refused",
    "MAX_MEASURES": "of a report's form, which has no more",
    "MAX_POINTING": "of what a record's page shows",
    "MAX_POSITION": "of a view among others",
    "MAX_PREFIX": "of an automatic number, said where the field is made",
    "MAX_RELATED": "of what a record's page shows",
    "MAX_ROW_BYTES": "of the database, said where a field does not fit",
    "MAX_RULES": "of a role, as many as a workspace has collections",
    "MAX_SEARCH": "of the characters of a search, said where it is refused",
    "MAX_SERIES": "of a chart, which says so",
    "MAX_SQL": "of what a formula becomes, said where it is refused",
    "MAX_SUGGESTIONS": "of what the palette shows",
    "MAX_TEXT": "of a tile, said where it is typed",
    "MAX_WORDS": "of a search, said where it is refused",
    "MAX_ZONE": "of a time zone's name",
}
"""Bounds that are told where they are met, or that nobody meets, and why they are not in the list."""


def constants() -> Iterator[tuple[str, str]]:
    """Module and name of each bound of a domain."""
    for path in sorted((PROGRAM / "domain").rglob("*.py")):
        module = ".".join(("vivero_data", *path.relative_to(PROGRAM).with_suffix("").parts))
        for name in re.findall(r"^(MAX_[A-Z_]+): Final", path.read_text(), re.MULTILINE):
            yield module, name


def imported() -> set[tuple[str, str]]:
    tree = ast.parse((PROGRAM / "domain" / "usage" / "published.py").read_text())
    return {
        (str(node.module), alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def every() -> list[PublishedLimit]:
    return [one for group in published(Limits("trial"), UPLOAD, Counted()) for one in group.limits]


def figure(one: PublishedLimit) -> str:
    if one.limit is None:
        return "by plan"
    return bytes_(one.limit) if one.unit == "bytes" else number(one.limit)


def test_every_bound_is_published_or_named_as_an_inner_one() -> None:
    found = set(constants())
    assert {name for _, name in found - imported()} <= {*INNER, "MAX_NAME"}  # of files, beside that of collections
    assert set(INNER) <= {name for _, name in found}


def test_the_docs_have_each_limit_and_no_other() -> None:
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", DOCS.read_text(), re.MULTILINE)
    told = [(name, most) for name, most in rows if name != "Limit" and not name.startswith("---")]
    assert told == [(one.name, figure(one)) for one in every()]


def test_a_name_is_there_once() -> None:
    names = [one.name for one in every()]
    assert len(set(names)) == len(names)


def test_what_is_used_is_told_beside_its_limit() -> None:
    plan = Limits("trial", records=100, users=5, storage_bytes=10**9, requests_per_minute=600)
    groups = published(plan, UPLOAD, Counted(7, 2, 10**6, 3, 4, 5, 6, 8))
    told = {one.name: (one.used, one.limit) for group in groups for one in group.limits if one.used is not None}
    assert told == {
        "Records": (7, 100),
        "Active users": (2, 5),
        "Storage of files": (10**6, 10**9),
        "Collections": (3, 500),
        "Reports": (4, 1000),
        "Dashboards": (5, 200),
        "Reports by e-mail": (6, 100),
        "Webhooks": (8, 20),
    }
