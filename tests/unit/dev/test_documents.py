"""What documents and docstrings name, is there."""

import ast
import builtins
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.documents import ROOT, is_there, spelled_out

DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
NAMED = re.compile(r"`((?:tests|benchmarks)/[^`\s<]*)(?=[`\s])")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_test_that_a_document_names_is_there(document: Path) -> None:
    names = [name for named in NAMED.findall(document.read_text()) for name in spelled_out(named)]
    assert [name for name in names if not is_there(name)] == []


LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s#]+)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_file_that_a_document_links_to_is_there(document: Path) -> None:
    links = LINK.findall(document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_a_name_that_is_not_there_is_found() -> None:
    (named,) = NAMED.findall("see `tests/unit/dev/test_{documents,nothing}.py` and `tests/unit/<noun>.py`")
    assert [name for name in spelled_out(named) if not is_there(name)] == ["tests/unit/dev/test_nothing.py"]


def test_a_test_that_is_not_in_its_file_is_found() -> None:
    here = "tests/unit/dev/test_documents.py"
    assert is_there(f"{here}::test_a_test_that_is_not_in_its_file_is_found")
    assert not is_there(f"{here}::test_a_test_that")


SOURCES = [
    *(
        file
        for folder in ("core", "operator", "web", "control_plane", "data_plane", "ui", "dev")
        for file in ROOT.glob(f"{folder}/**/*.py")
    )
]
RAISED = re.compile(r"^    ([A-Z]\w+(?:, [A-Z]\w+)*):", re.MULTILINE)


def defined(tree: ast.Module) -> set[str]:
    """Classes of a module, and what it imports."""
    imported = [name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in node.names]
    classes = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return {*classes, *(name.asname or name.name for name in imported)}


def raised(tree: ast.Module) -> Iterator[str]:
    """What its docstrings say is raised."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            _, _, said = (ast.get_docstring(node) or "").partition("Raises:")
            for names in RAISED.findall(said):
                yield from names.split(", ")


def test_each_error_that_a_docstring_names_exists() -> None:
    trees = {file: ast.parse(file.read_text()) for file in SOURCES}
    known = {*dir(builtins), *(name for tree in trees.values() for name in defined(tree))}
    found = [(str(file.relative_to(ROOT)), name) for file, tree in trees.items() for name in raised(tree)]
    assert len(found) > 100
    assert [one for one in found if one[1] not in known] == []
