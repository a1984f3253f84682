"""Which Python `./vivero` makes its environment with."""

import re
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
VERSION = "3.99"
"""Of the images; no test runs on it."""


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:  # noqa: ANN401  a module
    """On a machine whose only programs are those in `tmp_path`."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader = SourceFileLoader("vivero_script", str(ROOT / "vivero"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    monkeypatch.setattr(module, "PREFERRED", VERSION)
    monkeypatch.setenv("PATH", str(tmp_path))
    return module


def program(folder: Path, text: str) -> None:
    file = folder / f"python{VERSION}"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def test_the_images_python_is_taken_where_it_is(script: Any, tmp_path: Path) -> None:  # noqa: ANN401
    program(tmp_path, """echo '["/opt/python", "3.99.1 of today"]'""")
    assert script.interpreter() == ("/opt/python", "3.99.1 of today")


def test_a_python_describes_itself(script: Any, tmp_path: Path) -> None:  # noqa: ANN401
    program(tmp_path, f'exec "{sys.executable}" "$@"')
    found = script.preferred()
    assert Path(found.executable).samefile(sys.executable)
    assert found.build.startswith(sys.version)


def test_the_program_of_pyenv_is_told_which_it_is_to_run(script: Any, tmp_path: Path) -> None:  # noqa: ANN401
    program(tmp_path, f"""[ "$PYENV_VERSION" = {VERSION} ] || exit 127; echo '["/opt/python", "3.99.1"]'""")
    assert script.interpreter().executable == "/opt/python"


@pytest.mark.parametrize(
    "text", [None, "echo not installed >&2; exit 127", f'exec "{sys.executable}" "$@" no_such_module']
)
def test_else_it_is_the_python_that_runs_it(script: Any, tmp_path: Path, text: str | None) -> None:  # noqa: ANN401
    """There is none, it does not run, or it lacks a module."""
    if text is not None:
        program(tmp_path, text)
    assert script.interpreter() == (sys.executable, sys.version + sys.prefix)


def test_who_runs_the_images_python_looks_for_no_other(
    script: Any,  # noqa: ANN401
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program(tmp_path, """echo '["/opt/python", "3.99.1"]'""")
    monkeypatch.setattr(sys, "version", "3.99.0 of yesterday")
    assert script.interpreter().executable == sys.executable


def test_an_old_python_is_enough_where_the_images_is_there_as_well(
    script: Any,  # noqa: ANN401
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(script, "MINIMUM", (3, 98))
    with pytest.raises(SystemExit, match=r"needs Python 3\.98 or later; this is 3\."):
        script.interpreter()
    program(tmp_path, """echo '["/opt/python", "3.99.1"]'""")
    assert script.interpreter().executable == "/opt/python"


@pytest.mark.parametrize("place", ["operator", "control_plane", "data_plane", "dev/docker/mail", "dev/docker/payments"])
def test_the_images_have_the_python_that_is_preferred(place: str) -> None:
    preferred = re.search(r'^PREFERRED = "(.*)"$', (ROOT / "vivero").read_text(), re.MULTILINE)
    assert preferred is not None
    assert f"ARG BASE=python:{preferred[1]}-slim\n" in (ROOT / place / "Containerfile").read_text()
