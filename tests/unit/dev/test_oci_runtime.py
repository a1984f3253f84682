"""The runtime of the tests' Docker daemon: what it takes out of which document, and what it hands on."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from support import oci_runtime
from vivero_dev.commands import run

KEPT, HELD = ["CAP_SYS_ADMIN"], ["CAP_SYS_ADMIN", "CAP_SYS_RESOURCE"]


def process(names: list[str]) -> dict[str, Any]:
    return {"args": ["sh"], "capabilities": {"bounding": names, "effective": names}}


def test_a_privileged_container_and_what_is_run_in_it_lack_what_the_machine_lacks() -> None:
    container = {"ociVersion": "1.0.2", "process": process(HELD)}
    assert oci_runtime.without_capability(container) == {"ociVersion": "1.0.2", "process": process(KEPT)}
    assert oci_runtime.without_capability(process(HELD)) == process(KEPT)


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ("--root /r create --bundle {0} --pid-file p id", "config.json"),
        ("--root /r exec --process {0}/exec.json --detach id", "exec.json"),
        ("--root /r delete --force id", None),
    ],
)
def test_runc_is_called_with_what_docker_said(
    words: str, changed: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runc = tmp_path / "runc"
    runc.write_text('#!/bin/sh\necho "$@"\n')
    runc.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for name in ("config.json", "exec.json"):
        (tmp_path / name).write_text(json.dumps(process(HELD)))
    arguments = words.format(tmp_path).split()
    assert run("runtime", [sys.executable, "-I", oci_runtime.__file__, *arguments]).split() == arguments
    for name in ("config.json", "exec.json"):
        assert json.loads((tmp_path / name).read_text()) == process(KEPT if name == changed else HELD)
