"""The only adapter for python-terraform, which is no longer maintained.

It works around these problems: python-terraform has no timeout, logs its
variables, takes no environment, and its defaults for `apply` and `destroy` are
those of Terraform 0.11. So we use its command lines and replace its runner.
Variables are passed in a file with mode 0600, never as arguments, which every
user of the machine can list.
"""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from python_terraform import IsFlagged, Terraform  # type: ignore[import-untyped]

from vivero_dev.errors import DevError
from vivero_dev.logfiles import TAIL_LINES
from vivero_dev.native.tools import ensure_tool
from vivero_dev.steps import Say

PROGRAMS = ("terraform", "tofu")
# Default registry of each program, for provider addresses without a host.
REGISTRIES = ("registry.terraform.io", "registry.opentofu.org")
PROVIDER, PROVIDER_VERSION, TARGET = "gavinbunney/kubectl", "1.19.0", "linux_amd64"
PROVIDER_TOOL = "terraform-provider-kubectl"

COMMAND_SECONDS = 600.0  # an apply waits for rollouts; the charts' own limit is 3 minutes
STOP_SECONDS = 30.0  # for an interrupted command to write its state
CHANGES = 2  # `plan -detailed-exitcode`: 0 nothing to do, 1 error, 2 changes


class TerraformError(DevError):
    """A Terraform command failed; the message includes the end of its output."""

    def __init__(self, command: str, reason: str) -> None:
        super().__init__(f"terraform {command}: {reason}")
        self.command = command


class TerraformMissingError(TerraformError):
    """Neither Terraform nor OpenTofu is on PATH."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an apply would do: addresses of resources by action."""

    create: tuple[str, ...]
    update: tuple[str, ...]
    delete: tuple[str, ...]

    @property
    def empty(self) -> bool:
        return not (self.create or self.update or self.delete)


class Project:
    """A copy of a root module with its variables and its provider.

    The folder is a copy: state, lock file and variables stay out of the tree.
    """

    def __init__(self, source: Path, root: str, folder: Path, providers: Path) -> None:
        """Copy `source` (all of terraform/) to `folder`; `root` is the module below it that is run."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
        self.folder = folder / root
        self._variables = self.folder / "vivero.tfvars.json"
        self._providers = providers
        self._program = _BoundedTerraform(self.folder, find_program())

    def init(self) -> None:
        """Install the provider from the given folder only; no registry is contacted."""
        self._run("init", backend_config=None, plugin_dir=str(self._providers), reconfigure=IsFlagged, input=False)

    def validate(self) -> None:
        self._run("validate")

    def plan(self, variables: Mapping[str, object]) -> Plan:
        self._write(variables)
        saved = self.folder / "saved.plan"
        saved.touch(mode=0o600)  # a plan holds the variables
        self._run("plan", var_file=self._variables.name, out=saved.name, detailed_exitcode=IsFlagged, input=False)
        return _plan(json.loads(self._run("show", saved.name, json=IsFlagged)))

    def apply(self, variables: Mapping[str, object]) -> None:
        self._write(variables)
        code, out, err = self._program.apply(var_file=self._variables.name, skip_plan=True)
        _check("apply", code, out, err)

    def destroy(self, variables: Mapping[str, object]) -> None:
        self._write(variables)
        # force=None: the flag of that name is gone since 0.15, and the library still sends it.
        code, out, err = self._program.destroy(var_file=self._variables.name, force=None, auto_approve=True)
        _check("destroy", code, out, err)

    def output(self) -> dict[str, Any]:
        values = json.loads(self._run("output", json=IsFlagged))
        return {name: entry["value"] for name, entry in values.items()}

    def _run(self, command: str, *arguments: str, **options: object) -> str:
        code, out, err = self._program.cmd(command, *arguments, no_color=IsFlagged, **options)
        _check(command, code, out, err)
        return str(out)

    def _write(self, variables: Mapping[str, object]) -> None:
        self._variables.touch(mode=0o600)
        self._variables.write_text(json.dumps(dict(variables)))


class _BoundedTerraform(Terraform):  # type: ignore[misc]  # the library has no types
    """python-terraform's command lines, run with a timeout and our environment, without logging variables."""

    def __init__(self, folder: Path, program: Path) -> None:
        super().__init__(working_dir=str(folder), terraform_bin_path=str(program))

    def cmd(self, command: str, *arguments: str, **options: object) -> tuple[int, str, str]:
        words = self.generate_cmd_string(command, *arguments, **options)
        try:
            return _bounded(command, words, Path(self.working_dir))
        finally:
            self.temp_var_files.clean_up()


def find_program() -> Path:
    """The first of PROGRAMS on PATH.

    Raises:
        TerraformMissingError: there is none.
    """
    for name in PROGRAMS:
        if found := shutil.which(name):
            return Path(found)
    raise TerraformMissingError(
        "init", "neither terraform nor tofu is on PATH: install Terraform 1.9 or later, or OpenTofu"
    )


def ensure_provider(cache_dir: Path, mirror: Path, log: Path, say: Say) -> Path:
    """A folder for `init`, with the provider built from its Go module once; returns `mirror`."""
    built = ensure_tool(cache_dir, PROVIDER_TOOL, log, say)
    for registry in REGISTRIES:
        place = mirror / registry / PROVIDER / PROVIDER_VERSION / TARGET
        place.mkdir(parents=True, exist_ok=True)
        link = place / f"{PROVIDER_TOOL}_v{PROVIDER_VERSION}"
        link.unlink(missing_ok=True)
        link.symlink_to(built / PROVIDER_TOOL)
    return mirror


def _bounded(command: str, words: list[str], folder: Path) -> tuple[int, str, str]:
    # Ignore the user's configuration: it could name other provider sources.
    settings = {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    environment = os.environ | settings
    environment.pop("TF_LOG", None)  # a debug log quotes every request, objects included
    with subprocess.Popen(  # noqa: S603  words of this module, and paths of ours
        words,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=COMMAND_SECONDS)
        except subprocess.TimeoutExpired as error:
            _stop(process)
            raise TerraformError(command, f"took longer than {COMMAND_SECONDS:.0f} s") from error
    return process.returncode, out, err


def _stop(process: "subprocess.Popen[str]") -> None:
    """Interrupt first, so that Terraform stops gracefully and writes its state."""
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _check(command: str, code: int, out: str, err: str) -> None:
    if code == 0 or (command == "plan" and code == CHANGES):
        return
    said = "\n".join((err.strip() or out.strip()).splitlines()[-TAIL_LINES:])
    raise TerraformError(command, f"exited with {code}\n{said}")


def _plan(document: dict[str, Any]) -> Plan:
    """Read `terraform show -json` of a saved plan; a replacement counts as delete and as create."""
    changes = document.get("resource_changes", [])

    def addresses(action: str) -> tuple[str, ...]:
        return tuple(change["address"] for change in changes if action in change["change"]["actions"])

    return Plan(addresses("create"), addresses("update"), addresses("delete"))
