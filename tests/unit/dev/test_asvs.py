"""The table of OWASP ASVS 5.0.0 has every requirement of levels 1 and 2 once, and what it and its neighbours name is there."""

import re
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from support.documents import ROOT, is_there, spelled_out

FOLDER: Final = ROOT / "docs/security"
TABLE: Final = (FOLDER / "asvs.md").read_text()
STANDARD: Final = [tuple(line.split()) for line in (ROOT / "tests/support/asvs_5.txt").read_text().splitlines()]
"""Number and level of each requirement, in the order of the standard."""
STATES: Final = ("met", "does not apply", "not met")
NAMED: Final = re.compile(r"`([^`\s]*/[^`\s]*\.[^`\s]*|\.dockerignore|pyproject\.toml)`")
"""Files, by their path from the root of the repository."""


class Row(NamedTuple):
    """A requirement as the table has it."""

    number: str
    level: str
    state: str
    note: str
    shown_by: str

    @property
    def chapter(self) -> str:
        return f"V{self.number.partition('.')[0]}"


def rows() -> list[Row]:
    found = re.findall(
        r"^\| v5\.0\.0-(\S+) \| (\d) \| [^|]+ \| ([^|:]+?)(?:: ([^|]+))? \| ([^|]*)\|$", TABLE, re.MULTILINE
    )
    return [Row(*one) for one in found]


def counts(of: list[Row]) -> list[int]:
    states = Counter(row.state for row in of)
    return [*(states[state] for state in STATES), len(of)]


def test_every_requirement_is_there_once_with_its_level() -> None:
    assert [(row.number, row.level) for row in rows()] == STANDARD


def test_each_has_a_state_and_what_is_missing() -> None:
    assert {row.state for row in rows()} == set(STATES)
    assert [row.number for row in rows() if row.state != "met" and not row.note] == []


def test_what_is_met_is_shown_by_a_file() -> None:
    assert [row.number for row in rows() if row.state == "met" and not NAMED.findall(row.shown_by)] == []


def test_the_counts_are_right() -> None:
    said = {
        name: list(map(int, figures.split(" | ")))
        for name, figures in re.findall(r"^\| (V\d+|all)[^|]* \| ((?:\d+ \| ){3}\d+) \|$", TABLE, re.MULTILINE)
    }
    chapters = {chapter: counts(list(of)) for chapter, of in groupby(rows(), lambda row: row.chapter)}
    assert said == chapters | {"all": counts(rows())}
    *_, missing, everything = counts(rows())
    assert f"- {missing} of the {everything} requirements" in (ROOT / "docs/known-limits.md").read_text()


@pytest.mark.parametrize("document", sorted(FOLDER.glob("*.md")), ids=lambda path: path.name)
def test_files_and_tests_that_are_named_are_there(document: Path) -> None:
    named = NAMED.findall(document.read_text())
    assert named
    assert [name for one in named for name in spelled_out(one) if not is_there(name)] == []
