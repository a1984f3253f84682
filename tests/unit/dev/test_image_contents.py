"""What an image's program imports of our own is copied into the image; the list is written by hand in its Containerfile."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[3]
IMAGES: Final = ("control_plane", "data_plane", "operator", "dev/docker/mail", "dev/docker/payments")


def _sources(image: str) -> set[Path]:
    """What is copied out of this repository."""
    copied: set[Path] = set()
    for line in (ROOT / image / "Containerfile").read_text().splitlines():
        instruction, *sources = line.split()[:-1] or [""]
        if instruction == "COPY" and not sources[0].startswith("--from"):
            copied |= {ROOT / source for source in sources}
    return copied


def _modules(image: str) -> set[Path]:
    """Those of ours that the image has, as files of this repository."""
    files = {file for source in _sources(image) for file in (source.rglob("*.py") if source.is_dir() else [source])}
    return {file for file in files if file.suffix == ".py"}


def _named(source: str) -> Iterator[str]:
    """Modules, and names out of modules that may be modules themselves."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


@cache
def _file(module: str) -> Path | None:
    """Where it lies in this repository; None for a name that is no module of ours."""
    if not module.startswith("vivero_"):
        return None
    package, *parts = module.split(".")
    for folder in ROOT.glob(f"*/{package}"):
        place = folder.joinpath(*parts)
        found = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        return found if found.exists() else None
    raise AssertionError(f"no folder has the package {package}")


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_has_every_module_that_it_imports(image: str) -> None:
    copied = _modules(image)
    missing = {
        f"{file.relative_to(ROOT)} imports {module}"
        for file in copied
        for module in _named(file.read_text())
        if (found := _file(module)) is not None and found not in copied
    }
    assert copied
    assert not missing


@pytest.mark.parametrize("image", IMAGES)
def test_builders_are_given_what_an_image_copies(image: str) -> None:
    """Docker reads .dockerignore, which names what it may see."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {file for line in lines if line.startswith("!") for file in ROOT.glob(line[1:])}
    assert [source for source in _sources(image) if not {source, *source.parents} & allowed] == []
