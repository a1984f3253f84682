r"""Clients of the Kubernetes API side by side: what they cost in memory, and how fast they apply objects.

    ./vivero up --pool 0 && ./vivero status --json > status.json
    PYTHONPATH=core:dev uv run --no-project --python 3.13 --with-requirements requirements/operator.txt \
        --with kubernetes==37.0.1 --with lightkube==1.0.1 --with kr8s==0.20.15 \
        python benchmarks/kubernetes_clients.py --status status.json

Each client works in a process of its own, three times in turn: it applies the same ConfigMaps (server-side, forced, 20
at once) into a namespace of the benchmark's, twice, so that half of the requests make an object and half change none.
The process's memory is taken after the import and at the end. kr8s is imported alone: it has no server-side apply.
"""

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from statistics import median
from typing import Any

from figures import arguments, machine, print_table, read_status

OBJECTS = 200
AT_ONCE = 20
ROUNDS = 3
NAMESPACE = "clients-benchmark"
CLIENTS = ("vivero_core", "lightkube", "kubernetes", "kr8s")
Object = dict[str, Any]


def main() -> None:
    if len(sys.argv) > 1 and sys.argv[1] in CLIENTS:
        print(json.dumps(measured(sys.argv[1], Path(sys.argv[2]))))
        return
    options = arguments(__doc__ or "")
    kubeconfig = read_status(options.status)["kubeconfig"]
    found: dict[str, list[dict[str, float]]] = {name: [] for name in CLIENTS}
    for _ in range(ROUNDS):
        for name, runs in found.items():
            words = [sys.executable, __file__, name, kubeconfig]
            done = subprocess.run(words, check=True, capture_output=True, text=True)  # noqa: S603  this file
            runs.append(json.loads(done.stdout))
    print(machine())
    ours = found[CLIENTS[0]]
    rows = []
    for name, runs in found.items():
        row = [name]
        for figure in ("imported", "ended", "processor", "seconds"):
            value, own = median(run[figure] for run in runs), median(run[figure] for run in ours)
            row.append(f"{value:.1f} ({value / own:.2f})" if value else "-")
        rows.append(row)
    print_table(("client", "after import, MiB", "at the end, MiB", "processor, s", f"{2 * OBJECTS} applies, s"), rows)


def measured(name: str, kubeconfig: Path) -> dict[str, float]:
    """Figures of one client, in this process."""
    run = {"vivero_core": _ours, "lightkube": _lightkube, "kubernetes": _kubernetes, "kr8s": _kr8s}[name]()
    figures = {"imported": _resident(), "ended": 0.0, "processor": 0.0, "seconds": 0.0}
    if run is not None:
        namespace: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        asyncio.run(run(kubeconfig, [namespace]))
        begin, used = time.perf_counter(), time.process_time()
        asyncio.run(run(kubeconfig, config_maps() + config_maps()))
        figures |= {"seconds": time.perf_counter() - begin, "processor": time.process_time() - used}
        figures["ended"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return figures


def config_maps() -> list[Object]:
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"one-{number}", "namespace": NAMESPACE, "labels": {"vivero.dev/tenant": "t"}},
            "data": {f"key-{line}": "value " * 20 for line in range(10)},
        }
        for number in range(OBJECTS)
    ]


Run = Callable[[Path, list[Object]], Coroutine[Any, Any, None]]


def _ours() -> Run:
    from vivero_core.backends.kube.client import KubeClient  # noqa: PLC0415  each process imports one client
    from vivero_core.backends.kube.config import from_kubeconfig  # noqa: PLC0415

    async def run(kubeconfig: Path, manifests: list[Object]) -> None:
        async with KubeClient(from_kubeconfig(kubeconfig), field_manager="benchmark") as client:
            await _each(manifests, client.apply)

    return run


def _lightkube() -> Run:
    from lightkube import AsyncClient, KubeConfig, codecs  # type: ignore[import-not-found]  # noqa: PLC0415

    async def run(kubeconfig: Path, manifests: list[Object]) -> None:
        client = AsyncClient(config=KubeConfig.from_file(kubeconfig), field_manager="benchmark")

        async def apply(manifest: Object) -> None:
            await client.apply(codecs.from_dict(manifest), force=True)

        await _each(manifests, apply)
        await client.close()

    return run


def _kubernetes() -> Run:
    from kubernetes import config, dynamic  # type: ignore[import-not-found]  # noqa: PLC0415

    async def run(kubeconfig: Path, manifests: list[Object]) -> None:
        client = dynamic.DynamicClient(config.new_client_from_config(str(kubeconfig)))

        def apply(manifest: Object) -> None:
            kind = client.resources.get(api_version=manifest["apiVersion"], kind=manifest["kind"])
            kind.server_side_apply(body=manifest, force_conflicts=True, field_manager="benchmark")

        await _each(manifests, lambda manifest: asyncio.to_thread(apply, manifest))

    return run


def _kr8s() -> None:
    import kr8s.asyncio.objects  # type: ignore[import-not-found]  # noqa: F401, PLC0415


async def _each(manifests: list[Object], apply: Callable[[Object], Awaitable[object]]) -> None:
    places = asyncio.Semaphore(AT_ONCE)

    async def one(manifest: Object) -> None:
        async with places:
            await apply(manifest)

    await asyncio.gather(*map(one, manifests))


def _resident() -> float:
    """MiB now."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
