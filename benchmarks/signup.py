"""How long a signup takes, beside the start of the same pod by itself.

    ./vivero up --pool 0
    ./vivero status --json > status.json
    python benchmarks/signup.py --status status.json

Signups run one after another and without spares, from `POST /api/v1/signups`
to the first authenticated 200 of the workspace through the ingress. Between
them the same pod starts bare (bare_pod.py), in turn, so that both columns saw
the same machine. Everything made here is erased at the end.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from bare_pod import Backends, BarePod
from figures import arguments, machine, print_table, read_status, summary
from vivero_core.backends.kube.client import KubeClient
from vivero_core.backends.kube.config import from_kubeconfig
from vivero_core.backends.kube.errors import KubeNotFoundError
from vivero_core.backends.kube.resources import TENANT, TENANT_POOL
from vivero_core.model import naming
from vivero_dev.localhost import local_client

SIGNUP_SECONDS = 120.0
ERASE_SECONDS = 180.0
# A signup makes 3 to 5 requests, and an address has 100 a minute: closer together they would measure the limit.
SECONDS_APART = 4.0
GOAL_SECONDS, GOAL_RATIO = 3.0, 1.3


@dataclass(frozen=True)
class Signup:
    """A finished signup."""

    tenant: str
    ready_seconds: float  # when the control plane said so
    seconds: float  # when the workspace answered who we are


def sign_up(client: httpx.Client, base: str) -> Signup:
    run = secrets.token_hex(6)
    who = {"email": f"bench-{run}@example.com", "password": secrets.token_urlsafe(16)}
    started = time.perf_counter()
    answer = client.post(f"{base}/api/v1/signups", json={"company": f"Bench {run}", "slug": f"bench-{run}", **who})
    answer.raise_for_status()
    signup = finished(client, f"{base}/api/v1/signups/{answer.json()['id']}/events")
    ready = time.perf_counter() - started
    if signup["state"] != "ready":
        raise SystemExit(f"signup of {signup['tenant']['name']} failed: {signup}")
    first_answer(client, signup["tenant"]["url"], who)
    return Signup(signup["tenant"]["name"], ready, time.perf_counter() - started)


def finished(client: httpx.Client, url: str) -> dict[str, Any]:
    """Follow the signup's events to the last."""
    with client.stream("GET", url, timeout=SIGNUP_SECONDS) as events:
        events.raise_for_status()
        for view in _views(events.iter_lines()):
            if view["state"] != "provisioning":
                return view
    raise SystemExit("the event stream ended before the signup did")


def _views(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if line.startswith("data:"):
            yield json.loads(line.removeprefix("data:"))


def first_answer(client: httpx.Client, url: str, who: dict[str, str]) -> None:
    """Log in and ask who one is, once: what is ready is reached. Raises httpx.HTTPStatusError."""
    login = client.post(f"{url}/api/v1/auth/login", json=who)
    login.raise_for_status()
    bearer = {"Authorization": f"Bearer {login.json()['access_token']}"}
    client.get(f"{url}/api/v1/me", headers=bearer).raise_for_status()


async def erase(kube: KubeClient, names: list[str]) -> None:
    """Delete the tenants with all they hold, and wait until they are gone."""
    for name in names:
        tenant = await kube.patch(TENANT, name, {"spec": {"deletionPolicy": "Delete"}})
        await kube.delete(TENANT, name, uid=tenant["metadata"]["uid"])
    async with asyncio.timeout(ERASE_SECONDS):
        for name in names:
            while await _exists(kube, name):  # noqa: ASYNC110  bounded above; erasing takes seconds
                await asyncio.sleep(0.5)


async def _exists(kube: KubeClient, name: str) -> bool:
    try:
        await kube.get(TENANT, name)
    except KubeNotFoundError:
        return False
    return True


async def measure(status: dict[str, Any], rounds: int) -> tuple[list[Signup], list[float]]:
    """Alternate `rounds` signups and bare starts, after one of each that is not counted."""
    signups: list[Signup] = []
    bare: list[float] = []
    client = local_client(Path(status["ca"]), timeout=30.0)
    async with KubeClient(from_kubeconfig(Path(status["kubeconfig"])), field_manager="vivero-benchmark") as kube:
        pools = (await kube.list(TENANT_POOL)).items
        if any(pool["spec"]["size"] for pool in pools):
            raise SystemExit("there is a pool of spares; this measures signups without: ./vivero up --pool 0")
        try:
            with client:
                warm = await asyncio.to_thread(sign_up, client, status["control_plane_url"])
                signups.append(warm)
                tenant = await kube.get(TENANT, warm.tenant)
                namespace = naming.namespace_name(tenant["status"]["id"])
                async with BarePod(kube, Backends(status), namespace) as pod:
                    await pod.start()
                    for number in range(1, rounds + 1):
                        await asyncio.sleep(SECONDS_APART)
                        signups.append(await asyncio.to_thread(sign_up, client, status["control_plane_url"]))
                        bare.append(await pod.start())
                        print(
                            f"{number}/{rounds}: signup {signups[-1].seconds:.2f} s, bare pod {bare[-1]:.2f} s",
                            flush=True,
                        )
        finally:
            await erase(kube, [signup.tenant for signup in signups])
    return signups[1:], bare


def main() -> None:
    options = arguments(__doc__ or "", rounds=20)
    signups, bare = asyncio.run(measure(read_status(options.status), options.rounds))
    columns = {
        "signup": summary([signup.seconds for signup in signups]),
        "of it until ready": summary([signup.ready_seconds for signup in signups]),
        "bare start of the same pod": summary(bare),
    }
    print(f"\n{len(signups)} signups, one after another, no spares; {machine()}\n")
    rows = [[name, *(f"{value:.2f} s" for value in figures.values())] for name, figures in columns.items()]
    ratios = [columns["signup"][key] / columns["bare start of the same pod"][key] for key in ("p50", "p95", "max")]
    print_table(["", "p50", "p95", "max"], [*rows, ["ratio", *(f"{ratio:.2f}" for ratio in ratios)]])
    met = columns["signup"]["p95"] <= GOAL_SECONDS and ratios[1] <= GOAL_RATIO
    print(
        f"\ngoal: p95 at most {GOAL_SECONDS:.0f} s and {GOAL_RATIO} times the bare start: {'met' if met else 'MISSED'}"
    )


if __name__ == "__main__":
    main()
