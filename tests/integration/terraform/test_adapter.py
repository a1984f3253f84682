"""What the adapter makes good about python-terraform, seen with a program of our own in Terraform's place."""

import logging
import stat
import sys
from pathlib import Path

import pytest
from vivero_dev import terraform
from vivero_dev.terraform import Plan, Project, TerraformError, TerraformMissingError

SOURCE = Path(__file__).resolve().parents[3] / "terraform"


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Project:
    """A project whose `terraform` is a shell script that notes its arguments."""
    programs = folder / "bin"
    programs.mkdir()
    program = programs / "terraform"
    program.write_text(f'#!/bin/sh\necho "$@" >> "{folder}/seen"\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return Project(SOURCE, "environments/local", folder / "work", folder / "providers")


def test_variables_are_never_arguments_nor_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    project = stand_in(tmp_path, monkeypatch, "exit 0")
    project.apply({"token": "hunter2"})
    project.destroy({"token": "hunter2"})
    apply, destroy = (tmp_path / "seen").read_text().splitlines()
    assert "-auto-approve=true" in apply
    assert "-auto-approve=true" in destroy
    assert "-force" not in destroy
    assert "hunter2" not in apply + destroy + caplog.text
    variables = project.folder / "vivero.tfvars.json"
    assert "hunter2" in variables.read_text()
    assert stat.S_IMODE(variables.stat().st_mode) == 0o600


def test_a_failure_says_what_terraform_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = stand_in(tmp_path, monkeypatch, "echo 'no such cluster' >&2; exit 1")
    with pytest.raises(TerraformError, match=r"(?s)apply: exited with 1.*no such cluster"):
        project.apply({})


def test_a_command_that_hangs_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terraform, "COMMAND_SECONDS", 3.0)  # the shell has to have set its trap by then
    # Not a shell's trap: where the whole run was started in the background, a shell cannot catch what it ignores from birth.
    handler = "lambda *_: (open('state', 'w').write('saved\\\\n'), os._exit(1))"
    gentle = (
        f'exec {sys.executable} -c "import os, signal, time; signal.signal(signal.SIGINT, {handler}); time.sleep(60)"'
    )
    project = stand_in(tmp_path, monkeypatch, gentle)
    with pytest.raises(TerraformError, match="took longer"):
        project.validate()
    assert (project.folder / "state").read_text() == "saved\n", "an interrupt lets it write its state"


def test_a_command_that_will_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terraform, "COMMAND_SECONDS", 0.3)
    monkeypatch.setattr(terraform, "STOP_SECONDS", 0.3)
    project = stand_in(tmp_path, monkeypatch, "trap '' INT; while :; do sleep 0.05; done")
    with pytest.raises(TerraformError, match="took longer"):
        project.validate()


def test_a_missing_program_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TerraformMissingError, match="neither terraform nor tofu is on PATH"):
        Project(SOURCE, "environments/local", tmp_path / "work", tmp_path)


def test_a_plan_is_read() -> None:
    def change(address: str, *actions: str) -> dict[str, object]:
        return {"address": address, "change": {"actions": list(actions)}}

    document = {
        "resource_changes": [
            change("a", "create"),
            change("b", "no-op"),
            change("c", "delete", "create"),
            change("d", "update"),
        ]
    }
    assert terraform._plan(document) == Plan(create=("a", "c"), update=("d",), delete=("c",))  # noqa: SLF001
    assert terraform._plan({}).empty  # noqa: SLF001
