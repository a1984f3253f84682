"""The Go programs of this tool, and their compilation.

Each is of a module with a committed go.sum, so that all compiled code is pinned by hash. Those of a platform are one
module, dev/go, so that compiled packages are shared: Kubernetes, Contour, Helm and CoreDNS have most of them in common.
What only some commands need is of dev/go-optional and dev/go-jaeger, which want other versions of libraries. Some
programs are a third-party main package, named by a `tool` line of the module; the others are small ones of ours below it.
"""

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from vivero_dev.commands import run, run_long
from vivero_dev.errors import DevError
from vivero_dev.native.toolchain import find_go
from vivero_dev.steps import Say
from vivero_dev.store import Store, tree_hash

MODULE = Path(__file__).resolve().parents[3] / "dev" / "go"
OPTIONAL = MODULE.with_name("go-optional")
JAEGER = MODULE.with_name("go-jaeger")
KUBERNETES_VERSION = "v1.34.4"
COMPILER_FLAGS = ("-trimpath", "-mod=readonly", "-pgo=off", "-gcflags=all=-dwarf=false")
"""Nobody debugs these programs, and without debugging information they compile in a fourteenth less processor time."""
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
    """A program.

    `package` is its main package, and `home` the folder of its module. `names` are the links under which the program
    is called. `variables` hold the version it reports. `extras` are folders of
    modules that it needs at run time, copied next to it: link name -> (module,
    folder in the module).
    """

    name: str
    package: str
    home: Path = MODULE
    names: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    extras: Mapping[str, tuple[str, str]] = field(default_factory=dict)


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
    """Linker flags for the Kubernetes version that Helm renders and lints for offline; by default it is 1.20."""
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
        Tool("pause", "./pause"),
        Tool("kubernetes", "./kubernetes", names=KUBERNETES_PROGRAMS, variables=_kubernetes_version()),
        Tool("etcd", "./etcd"),
        Tool("coredns", "./coredns"),
        Tool(
            "contour",
            "github.com/projectcontour/contour/cmd/contour",
            extras={
                "manifests": ("github.com/projectcontour/contour", "examples/contour"),
                "gateway": ("sigs.k8s.io/gateway-api", "config/crd/standard"),
            },
        ),
        Tool("helm", "helm.sh/helm/v3/cmd/helm", variables=_helm_version()),
        # For the docker provider, where the machine has none.
        Tool("kind", "sigs.k8s.io/kind"),
        # For the tests' node image of kind.
        Tool("kubeadm", "k8s.io/kubernetes/cmd/kubeadm"),
        Tool("versitygw", "./versitygw"),
        Tool("kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform"),
        Tool("terraform-provider-kubectl", "github.com/gavinbunney/terraform-provider-kubectl"),
        Tool("toxiproxy", "github.com/Shopify/toxiproxy/v2/cmd/server"),
        # Simulated nodes and pods, for the benchmarks of a thousand tenants.
        Tool("kwok", "sigs.k8s.io/kwok/cmd/kwok", OPTIONAL),
        # Of --observability: traces, logs and their collection.
        Tool("jaeger", "github.com/jaegertracing/jaeger/cmd/jaeger", JAEGER),
        Tool("victoria-logs", "github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs", OPTIONAL),
        Tool("vlagent", "github.com/VictoriaMetrics/VictoriaLogs/app/vlagent", OPTIONAL),
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


def present(cache_dir: Path, names: Iterable[str]) -> bool:
    """Whether the cache has all these tools."""
    store = tool_store(cache_dir)
    return all(_entry(store, _named(name)).is_dir() for name in names)


def ensure_tools(cache_dir: Path, names: Sequence[str], log: Path, say: Say) -> bool:
    """Compile the tools missing in the cache together, so that shared packages are compiled once.

    The compiler's output goes to `log`. Returns whether anything was compiled.
    """
    tools, store = [_named(name) for name in names], tool_store(cache_dir)
    if present(cache_dir, names):
        return False
    # Serialized: another process would compile the same packages in parallel.
    with store.lock("compiler"), tempfile.TemporaryDirectory(dir=store.root, prefix=".compiled-") as folder:
        missing = [tool for tool in tools if not _entry(store, tool).is_dir()]
        if missing:
            go = find_go(store, log)
            for home in dict.fromkeys(tool.home for tool in missing):
                _compile(go, [tool for tool in missing if tool.home == home], Path(folder), log, say)
            for tool in missing:
                store.ensure(_entry(store, tool), partial(_place, go, tool, Path(folder)))
        return bool(missing)


def ensure_tool(cache_dir: Path, name: str, log: Path, say: Say) -> Path:
    """Compile one tool unless it is in the cache; returns its folder."""
    ensure_tools(cache_dir, [name], log, say)
    return _entry(tool_store(cache_dir), _named(name))


def _named(name: str) -> Tool:
    tool = TOOLS.get(name)
    if tool is None:
        raise UnknownToolError(f"{name} is no program of ours")
    return tool


def _tool_of(program_name: str) -> Tool:
    for tool in TOOLS.values():
        if program_name in (tool.names or (tool.name,)):
            return tool
    raise UnknownToolError(f"{program_name} is no program of ours")


@cache
def _module_hash(home: Path) -> str:
    return tree_hash(home)


def _entry(store: Store, tool: Tool) -> Path:
    extras = [f"{name} {module}/{folder}" for name, (module, folder) in sorted(tool.extras.items())]
    return store.entry(tool.name, _module_hash(tool.home), tool.package, *COMPILER_FLAGS, linker_flags(), *extras)


def linker_flags() -> str:
    """No symbol tables, and the programs' versions; the linker ignores variables that a program does not have."""
    stamps = [f"-X {name}={value}" for tool in TOOLS.values() for name, value in tool.variables.items()]
    return " ".join(["-s -w", *stamps])


def _compile(go: Path, tools: Sequence[Tool], target: Path, log: Path, say: Say) -> None:
    """Build programs of one module, named by the last part of their package path; the packages printed show the progress."""
    environment, home, packages = build_environment(go), tools[0].home, [tool.package for tool in tools]
    say("downloading modules")
    imported = _Count()
    listing: list[str | Path] = [go, "list", "-mod=readonly", "-deps", *packages]
    run_long("go", listing, log=log, environment=environment, cwd=home, on_line=imported.add)
    compiled = _Count()

    def on_output(line: str) -> None:
        compiled.add(line)
        say(f"compiling, {compiled.total:,} of at most {imported.total:,} packages", compiled.total / imported.total)

    command: list[str | Path] = [go, "build", "-v", *COMPILER_FLAGS, "-ldflags", linker_flags()]
    command += ["-o", f"{target}/", *packages]
    run_long("go", command, log=log, environment=environment, cwd=home, on_line=on_output)


@dataclass(slots=True)
class _Count:
    """Counts lines with a package name, unlike `go: downloading …`."""

    total: int = 0

    def add(self, line: str) -> None:
        self.total += not line.startswith(("go: ", "#")) and bool(line.strip())


def _place(go: Path, tool: Tool, compiled: Path, target: Path) -> None:
    """Move a compiled program and what belongs to it into its folder."""
    (compiled / tool.package.rpartition("/")[2]).rename(target / tool.name)
    for name in tool.names:
        (target / name).symlink_to(tool.name)
    for name, (source, folder) in tool.extras.items():
        _copy_files(module_folder(go, source, tool.home) / folder, target / name)


def module_folder(go: Path, module: str, home: Path = MODULE) -> Path:
    """Where Go keeps the files of a module from which something was built."""
    words: list[str | Path] = [go, "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module]
    return Path(run("go", words, environment=build_environment(go), cwd=home).strip())


def _copy_files(source: Path, target: Path) -> None:
    # The module cache is read-only; modes are not copied, so the entry can be deleted again.
    target.mkdir()
    for file in sorted(path for path in source.iterdir() if path.is_file()):
        (target / file.name).write_bytes(file.read_bytes())


def build_environment(go: Path) -> dict[str, str]:
    """Build with exactly this compiler; never download another toolchain."""
    return {"GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false", "PATH": f"{go.parent}:{os.environ.get('PATH', '')}"}
