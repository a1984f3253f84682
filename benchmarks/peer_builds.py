"""Builds a peer's program from its Go module, once: the result is kept beside the platform's own tools."""

from pathlib import Path

from vivero_dev.commands import run, run_long
from vivero_dev.instance import cache_root
from vivero_dev.native.toolchain import find_go
from vivero_dev.native.tools import build_environment, tool_store
from vivero_dev.store import tree_hash

PEERS = Path(__file__).resolve().parent / "peers"
_FLAGS = "-s -w"  # no symbol tables: as released


def build(name: str, package: str = ".") -> Path:
    """Path of the program that `package` makes in the module peers/`name`.

    Raises:
        ComponentError: it cannot be built; the compiler's words are in the file that it names.
    """
    store, module = tool_store(cache_root()), PEERS / name
    entry = store.entry(f"peer-{name}", tree_hash(module), package, _FLAGS)

    def make(target: Path) -> None:
        log = entry.with_name(f"{entry.name}.log")
        go = find_go(store, log)
        command: list[str | Path] = [go, "build", "-trimpath", "-mod=readonly", "-ldflags", _FLAGS]
        command += ["-o", target / name, package]
        run_long(name, command, log=log, environment=build_environment(go), cwd=module)

    return store.ensure(entry, make) / name


def source_of(name: str, dependency: str) -> Path:
    """Folder of a Go module that the module `name` depends on."""
    store = tool_store(cache_root())
    go = find_go(store, store.root / f"peer-{name}.log")
    command: list[str | Path] = [go, "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", dependency]
    return Path(run(name, command, environment=build_environment(go), cwd=PEERS / name).strip())
