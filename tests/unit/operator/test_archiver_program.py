"""What the archiver's program tells kubelet and Prometheus, and what it loads."""

import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import HTTPServer
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from vivero_operator.archiver import metrics
from vivero_operator.archiver.__main__ import Archiver, handler

TOO_HEAVY = ("aiohttp", "boto3", "botocore", "kopf", "prometheus_client", "pydantic", "sqlalchemy", "urllib3")


@pytest.fixture
def archiver(tmp_path: Path) -> Archiver:
    environment = {"VIVERO_SERVER_UID": "uid", "VIVERO_SERVER_HOST": "db", "VIVERO_SERVER_PORT": "3306"}
    return Archiver(tmp_path, tmp_path, environment)


@pytest.fixture
def address(archiver: Archiver) -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), handler(archiver)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_prometheus_reads_its_metrics(address: str) -> None:
    metrics.SEGMENTS.inc(2)
    with urllib.request.urlopen(f"{address}/metrics") as answer:  # noqa: S310  this machine
        assert answer.headers["Content-Type"] == metrics.CONTENT_TYPE
        families = {one.name: one for one in text_string_to_metric_families(answer.read().decode())}
    assert families["vivero_archiver_segments"].type == "counter"
    assert families["vivero_archiver_segments"].samples[0].value == metrics.SEGMENTS.value
    assert families["vivero_archiver_lag_seconds"].type == "gauge"
    assert families["process_resident_memory_bytes"].samples[0].value > 2**20


def test_the_lag_grows_while_nothing_is_archived() -> None:
    """Of an archiver that lost its server, and of one that never had it."""
    clock = [100.0]
    lag = metrics.Age("gauge", "lag_seconds", "Lag", clock=lambda: clock[0])
    clock[0] = 160.0
    assert str(lag).endswith("lag_seconds 60.0\n")
    lag.set(2.5)
    assert str(lag).endswith("lag_seconds 2.5\n")
    clock[0] = 560.0
    assert str(lag).endswith("lag_seconds 402.5\n")


def test_it_is_ready_while_it_archives(archiver: Archiver, address: str) -> None:
    assert archiver.ready
    with urllib.request.urlopen(f"{address}/readyz") as answer:  # noqa: S310  this machine
        assert answer.read() == b"ok\n"
    archiver.stopping.set()
    archiver.run()
    with pytest.raises(urllib.error.HTTPError, match="503"):
        urllib.request.urlopen(f"{address}/readyz")  # noqa: S310  this machine
    with urllib.request.urlopen(f"{address}/healthz") as answer:  # noqa: S310  this machine
        assert answer.status == 200


def test_it_loads_nothing_heavy() -> None:
    """Its goal is 40 MiB for each database server, and its own share of that is small."""
    code = "import sys, vivero_operator.archiver.__main__; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603  our own words
    told = done.stdout.split()
    assert [name for name in told if name in TOO_HEAVY] == []
