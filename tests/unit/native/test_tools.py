import shutil
from pathlib import Path

import pytest
from vivero_dev.errors import ComponentError
from vivero_dev.native import toolchain, tools
from vivero_dev.native.store import Store


def test_every_module_below_dev_go_is_a_tool_with_locked_hashes() -> None:
    modules = {path.name for path in tools.MODULES.iterdir()}
    assert modules == set(tools.TOOLS)
    for name in modules:
        text = (tools.MODULES / name / "go.mod").read_text()
        assert (tools.MODULES / name / "go.sum").exists() or "require" not in text


def test_the_kubernetes_binary_reports_the_version_its_module_locks() -> None:
    flags = tools.TOOLS["kubernetes"].flags
    assert f"k8s.io/component-base/version.gitVersion={tools.KUBERNETES_VERSION}" in flags
    assert f"k8s.io/kubernetes {tools.KUBERNETES_VERSION}" in (tools.MODULES / "kubernetes/go.mod").read_text()


def test_a_programs_path_lies_in_the_folder_of_its_tool(tmp_path: Path) -> None:
    kubectl = tools.program(tmp_path, "kubectl")
    assert kubectl.name == "kubectl"
    assert kubectl.parent == tools.program(tmp_path, "kubelet").parent
    assert kubectl.parent.name.startswith("kubernetes-")


def test_an_unknown_tool_is_named(tmp_path: Path) -> None:
    with pytest.raises(tools.UnknownToolError, match="traefik"):
        tools.program(tmp_path, "traefik")
    with pytest.raises(tools.UnknownToolError, match="traefik"):
        tools.ensure_tool(tmp_path, "traefik", tmp_path / "log", lambda _: None)


def test_a_tool_is_built_once_with_its_names_and_extras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "module"
    (module / "examples").mkdir(parents=True)
    (module / "examples" / "crds.yaml").write_text("kind: X")
    commands: list[list[str]] = []

    def run(_component: str, command: list[object], **_options: object) -> str:
        words = [str(word) for word in command]
        commands.append(words)
        if "build" in words:
            Path(words[words.index("-o") + 1]).touch()
        return f"{module}\n"

    tool = tools.Tool("pause", names=("a", "b"), extras={"manifests": ("example.org/x", "examples")})
    monkeypatch.setitem(tools.TOOLS, "pause", tool)
    monkeypatch.setattr(tools, "run", run)
    monkeypatch.setattr(tools, "find_go", lambda *_: Path("/go/bin/go"))
    folder = tools.ensure_tool(tmp_path, "pause", tmp_path / "log", lambda _: None)
    assert tools.ensure_tool(tmp_path, "pause", tmp_path / "log", lambda _: None) == folder
    assert len(commands) == 2
    assert (folder / "a").readlink() == Path("pause")
    assert (folder / "manifests" / "crds.yaml").read_text() == "kind: X"


def test_builds_use_exactly_the_chosen_compiler() -> None:
    environment = tools.build_environment(Path("/opt/go/bin/go"))
    assert environment["GOTOOLCHAIN"] == "local"
    assert environment["PATH"].startswith("/opt/go/bin:")


@pytest.mark.parametrize(
    ("said", "version"), [("go1.26.8\n", (1, 26)), ("go1.9", (1, 9)), ("devel go1.27-abc", (0, 0)), ("", (0, 0))]
)
def test_versions_of_go(said: str, version: tuple[int, int]) -> None:
    assert toolchain.parse_version(said) == version


@pytest.mark.parametrize(("version", "own"), [((1, 26), True), ((1, 19), False)])
def test_an_old_compiler_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, version: tuple[int, int], own: bool
) -> None:
    def install(_component: str, command: list[str], **_options: object) -> str:
        assert "--require-hashes" in command
        target = Path(command[command.index("--target") + 1])
        for folder in (target / "bin", target / "go" / "bin"):
            folder.mkdir(parents=True)
            (folder / "go").touch()
        return ""

    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/go")
    monkeypatch.setattr(toolchain, "go_version", lambda _: version)
    monkeypatch.setattr(toolchain, "run", install)
    found = toolchain.find_go(Store(tmp_path), tmp_path / "log")
    assert (found == Path("/usr/bin/go")) is own
    assert own or found.parts[-3:] == ("go", "bin", "go")


def test_a_wheel_without_a_compiler_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match="no bin/go"):
        toolchain.compiler_in(tmp_path)
