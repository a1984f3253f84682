"""The Go programs of the native provider: what they are, and how they are built once.

Each is a module below dev/go with a committed go.sum, so that every byte that
is compiled was named by hash before. Modules with a `tool` line build somebody
else's main package; the others hold a small one of ours.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from vivero_dev.commands import run
from vivero_dev.errors import DevError
from vivero_dev.native.store import Store, tree_hash
from vivero_dev.native.toolchain import find_go
from vivero_dev.steps import Say

MODULES = Path(__file__).resolve().parents[3] / "dev" / "go"
# Kubernetes takes 8 minutes on two cores with an empty cache; four times that.
BUILD_SECONDS = 1920.0
KUBERNETES_VERSION = "v1.34.4"
KUBERNETES_PROGRAMS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kubelet",
    "kubectl",
)


@dataclass(frozen=True, slots=True)
class Tool:
    """A program built from the module `dev/go/<name>`.

    `package` is its main package. `names` are the links under which the program
    is called. `extras` are folders of other modules that it needs at run time,
    copied next to it: link name -> (module, folder in the module).
    """

    name: str
    package: str = "."
    names: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    extras: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def flags(self) -> str:
        """Linker flags: no symbol tables, and the version a program reports."""
        stamps = [f"-X {name}={value}" for name, value in self.variables.items()]
        return " ".join(["-s -w", *stamps])


def _kubernetes_version() -> dict[str, str]:
    package = "k8s.io/component-base/version"
    major, minor, _ = _release()
    return {
        f"{package}.gitVersion": KUBERNETES_VERSION,
        f"{package}.gitMajor": major,
        f"{package}.gitMinor": minor,
        f"{package}.gitTreeState": "clean",
    }


def _helm_version() -> dict[str, str]:
    """The Kubernetes that Helm renders and lints for without a cluster; without a stamp it is 1.20."""
    major, minor, _ = _release()
    packages = ("helm.sh/helm/v3/pkg/chartutil", "helm.sh/helm/v3/pkg/lint/rules")
    return {
        f"{package}.k8sVersion{part}": value
        for package in packages
        for part, value in (("Major", major), ("Minor", minor))
    }


def _release() -> list[str]:
    return KUBERNETES_VERSION.removeprefix("v").split(".")


TOOLS = {
    tool.name: tool
    for tool in (
        Tool("pause"),
        Tool("kubernetes", names=KUBERNETES_PROGRAMS, variables=_kubernetes_version()),
        Tool("etcd"),
        Tool("coredns"),
        Tool(
            "contour",
            "github.com/projectcontour/contour/cmd/contour",
            extras={"manifests": ("github.com/projectcontour/contour", "examples/contour")},
        ),
        Tool("helm", "helm.sh/helm/v3/cmd/helm", variables=_helm_version()),
        # For the docker provider, where the machine has none.
        Tool("kind", "sigs.k8s.io/kind"),
        Tool("versitygw", "github.com/versity/versitygw/cmd/versitygw"),
        Tool("kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform"),
        Tool("terraform-provider-kubectl", "github.com/gavinbunney/terraform-provider-kubectl"),
        Tool("toxiproxy", "github.com/Shopify/toxiproxy/v2/cmd/server"),
        # Simulated nodes and pods, for the benchmarks of a thousand tenants.
        Tool("kwok", "sigs.k8s.io/kwok/cmd/kwok"),
    )
}


class UnknownToolError(DevError):
    """A program that no module builds."""


def tool_store(cache_dir: Path) -> Store:
    return Store(cache_dir / "tools")


def program(cache_dir: Path, name: str) -> Path:
    """Path of a built program, `kubectl` and the like included; it exists once its tool was ensured."""
    tool = _tool_of(name)
    return _entry(tool_store(cache_dir), tool) / name


def ensure_tool(cache_dir: Path, name: str, log: Path, say: Say) -> Path:
    """Build the tool unless the cache has it; returns its folder. Compiler output goes to `log`."""
    tool = TOOLS.get(name)
    if tool is None:
        raise UnknownToolError(f"no module builds {name}")
    store = tool_store(cache_dir)

    def make(target: Path) -> None:
        say("compiling")
        _build(find_go(store, log), tool, target, log)

    return store.ensure(_entry(store, tool), make)


def _tool_of(name: str) -> Tool:
    for tool in TOOLS.values():
        if name in (tool.names or (tool.name,)):
            return tool
    raise UnknownToolError(f"no module builds {name}")


@cache
def _module_hash(name: str) -> str:
    return tree_hash(MODULES / name)


def _entry(store: Store, tool: Tool) -> Path:
    return store.entry(tool.name, _module_hash(tool.name), tool.package, tool.flags)


def _build(go: Path, tool: Tool, target: Path, log: Path) -> None:
    module = MODULES / tool.name
    environment = build_environment(go)
    output = target / tool.name
    command: list[str | Path] = [
        go,
        "build",
        "-trimpath",
        "-mod=readonly",
        "-ldflags",
        tool.flags,
        "-o",
        output,
        tool.package,
    ]
    run(tool.name, command, timeout=BUILD_SECONDS, log=log, environment=environment, cwd=module)
    for name in tool.names:
        (target / name).symlink_to(tool.name)
    for name, (source, folder) in tool.extras.items():
        listed = run(
            tool.name,
            [go, "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", source],
            environment=environment,
            cwd=module,
        )
        _copy_files(Path(listed.strip()) / folder, target / name)


def _copy_files(source: Path, target: Path) -> None:
    # The module cache is read-only; modes are not copied, so the entry can be deleted again.
    target.mkdir()
    for file in sorted(path for path in source.iterdir() if path.is_file()):
        (target / file.name).write_bytes(file.read_bytes())


def build_environment(go: Path) -> dict[str, str]:
    """Build with exactly this compiler; a version line in a module fetches no other."""
    return {"GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false", "PATH": f"{go.parent}:{os.environ.get('PATH', '')}"}
