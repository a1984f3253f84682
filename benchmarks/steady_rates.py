"""A mix of requests to one workspace through the ingress at constant rates, beside bare requests over the same way.

    go install go.k6.io/k6@v1.0.0
    ./vivero up --pool 0
    ./vivero status --json > status.json
    kubectl patch vplan trial --type merge -p '{"spec": {"limits": {"requestsPerMinute": 10000000, "records": 1000000}}}'
    PYTHONPATH=core:dev python benchmarks/steady_rates.py --status status.json --rates 50,100,200,400

A minute after the patch the workspace has it. k6 sends what benchmarks/mixed.js says at a rate that does not depend on the answers, so that waiting shows. The bare
requests ask the same pod for its health, which needs no database: what the proxy, TLS, k6 and an empty Python request
cost. k6, the proxy, the pod and MariaDB share the machine. A rate that k6 could not send counts as failed.
"""

import json
import os
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batches import Workspace
from figures import arguments, machine, print_table, read_status
from vivero_dev.localhost import local_client

RECORDS = 10_000
BATCH = 1000
GROWN = 60.0  # seconds within which an answer of the set-up has to come
SCRIPT = Path(__file__).with_name("mixed.js")


@dataclass(frozen=True, slots=True)
class Figures:
    """What k6 says of one run: requests a second, milliseconds, and the share of requests that failed or were not sent."""

    rate: float
    median: float
    p95: float
    failed: float


@contextmanager
def prepared(status: dict[str, Any]) -> Iterator[dict[str, str]]:
    """A collection of the demo workspace with records and an API key to use it, as k6's script wants them named."""
    name = f"Measured {secrets.token_hex(3)}"
    with local_client(Path(status["ca"]), timeout=GROWN) as client:
        workspace = Workspace(client, status)
        api = workspace.api
        client.headers.update(workspace.bearer)
        fields = [{"name": "Name", "type": "text"}, {"name": "Amount", "type": "integer"}]
        client.post(f"{api}/collections", json={"name": name, "fields": fields}).raise_for_status()
        collection = f"{api}/collections/{name.replace(' ', '%20')}"
        ids = [
            made["id"]
            for start in range(0, RECORDS, BATCH)
            for made in client.post(
                f"{collection}/records/batch",
                json={
                    "create": [{"values": {"Name": f"Record {at}", "Amount": at}} for at in range(start, start + BATCH)]
                },
            )
            .raise_for_status()
            .json()["created"]
        ]
        wanted = {"name": name, "scopes": ["read", "write_records"]}
        key = client.post(f"{api}/api-keys", json=wanted).raise_for_status().json()
        try:
            yield {
                "BASE": api.removesuffix("/api/v1"),
                "COLLECTION": collection,
                "KEY": key["token"],
                "FIRST": str(min(ids)),
                "AMOUNT": str(len(ids)),
            }
        finally:
            client.delete(f"{api}/api-keys/{key['id']}")
            client.delete(collection)


def send(k6: str, ca: str, environ: dict[str, str], rate: int, seconds: int) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "summary.json"
        subprocess.run(  # noqa: S603  the program that was named
            [k6, "run", "--quiet", "--no-usage-report", "--summary-export", str(told), str(SCRIPT)],
            env=os.environ | environ | {"RATE": str(rate), "SECONDS": str(seconds), "SSL_CERT_FILE": ca},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        metrics = json.loads(told.read_text())["metrics"]
    took, served = metrics["http_req_duration"], metrics["checks"]["passes"]
    return Figures(metrics["http_reqs"]["rate"], took["med"], took["p(95)"], 1 - served / (rate * seconds))


def row(what: str, rate: int, found: Figures) -> list[str]:
    failed = f"{max(0.0, 100 * found.failed):.2f} %"
    return [what, str(rate), f"{found.rate:.0f}", f"{found.median:.1f} ms", f"{found.p95:.1f} ms", failed]


def main() -> None:
    options = arguments(__doc__ or "", rates="50,100,200,400", seconds=20, k6="k6")
    status = read_status(options.status)
    rows = []
    with prepared(status) as environ:
        bare = environ | {"BARE": f"{environ['BASE']}/healthz"}
        for rate in map(int, options.rates.split(",")):
            for what, variables in (("bare", bare), ("mix", environ)):
                rows.append(row(what, rate, send(options.k6, status["ca"], variables, rate, options.seconds)))
    print(f"\n{options.seconds} s at each rate, a collection of {RECORDS:,} records; {machine()}\n")
    print_table(["", "wanted a second", "served a second", "p50", "p95", "failed or not sent"], rows)


if __name__ == "__main__":
    main()
