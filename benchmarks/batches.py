"""A thousand new records of a workspace one by one, and in batches, in one run.

    ./vivero up --pool 0
    ./vivero status --json > status.json
    kubectl patch vplan trial --type merge -p '{"spec": {"limits": {"requestsPerMinute": 60000}}}'
    python benchmarks/batches.py --status status.json

A minute after the patch the workspace has it. One program asks the demo tenant through its ingress, over one kept connection;
who is first changes each round, and each round has a collection of its own, so
that both sides write into an empty table.
"""

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from answers import TYPES, values
from figures import arguments, machine, percentile, print_table, read_status
from vivero_dev.localhost import local_client

ROWS = 1000
SIZES = (100, 1000)


def rows() -> list[dict[str, Any]]:
    return [{"values": values(number)} for number in range(ROWS)]


class Workspace:
    """The demo tenant, for its owner."""

    def __init__(self, client: httpx.Client, status: dict[str, Any]) -> None:
        demo = status["demo_tenant"]
        self.client = client
        self.api = f"{demo['url'].rstrip('/')}/api/v1"
        login = {"email": demo["email"], "password": demo["password"]}
        told = client.post(f"{self.api}/auth/login", json=login).raise_for_status().json()
        self.bearer = {"Authorization": f"Bearer {told['access_token']}"}

    def in_an_empty_collection(self, write: Callable[[str], None]) -> float:
        """Seconds of a write."""
        name = f"Measured {secrets.token_hex(3)}"
        new = {"name": name, "fields": [{"name": kind, "type": kind} for kind in TYPES]}
        self.client.post(f"{self.api}/collections", json=new, headers=self.bearer).raise_for_status()
        at = f"{self.api}/collections/{quote(name)}"
        try:
            begun = time.monotonic()
            write(f"{at}/records")
            return time.monotonic() - begun
        finally:
            self.client.delete(at, headers=self.bearer).raise_for_status()

    def one_by_one(self, at: str) -> None:
        for row in rows():
            self.client.post(at, json=row, headers=self.bearer).raise_for_status()

    def in_batches(self, at: str, size: int) -> None:
        every = rows()
        for start in range(0, ROWS, size):
            body = {"create": every[start : start + size]}
            self.client.post(f"{at}/batch", json=body, headers=self.bearer).raise_for_status()


def main() -> None:
    options = arguments(__doc__ or "", rounds=5)
    status = read_status(options.status)
    with local_client(Path(status["ca"]), timeout=60.0) as client:
        workspace = Workspace(client, status)
        ways: dict[str, Callable[[str], None]] = {"one by one": workspace.one_by_one}
        ways |= {f"in batches of {size:,}": lambda at, size=size: workspace.in_batches(at, size) for size in SIZES}  # type: ignore[misc]  # a default binds it
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(options.rounds):
            for name, write in list(ways.items())[:: -1 if number % 2 else 1]:
                seconds[name].append(workspace.in_an_empty_collection(write))
    slow = percentile(seconds["one by one"], 0.5)
    table = [
        [name, *(f"{percentile(taken, share):.2f} s" for share in (0.5, 1.0)), f"{percentile(taken, 0.5) / slow:.3f}"]
        for name, taken in seconds.items()
    ]
    print(f"\n{ROWS:,} records of {len(TYPES)} fields, {options.rounds} rounds; {machine()}\n")
    print_table(["", "p50", "max", "ratio of p50"], table)


if __name__ == "__main__":
    main()
