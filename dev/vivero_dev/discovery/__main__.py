"""`python -m vivero_dev.discovery`: keep the file with the targets until SIGTERM."""

import argparse
import json
import signal
import ssl
import sys
import threading
from pathlib import Path

import httpx

from vivero_dev.discovery.targets import target_groups
from vivero_dev.native.files import write_public

EVERY_SECONDS = 3.0
CALL_SECONDS = 10.0
SELECTOR = "app.kubernetes.io/part-of=vivero"


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="vivero-discovery", description=__doc__)
    parser.add_argument("--server", required=True, help="the API server, https://HOST:PORT")
    parser.add_argument("--authority", type=Path, required=True, help="of its certificate")
    parser.add_argument("--token-file", type=Path, required=True, help="of an account that may list pods")
    parser.add_argument("--file", type=Path, required=True, help="where the targets are written, for file_sd_configs")
    return parser.parse_args(arguments)


def update(client: httpx.Client, file: Path) -> None:
    """Once: the file holds what the API server's cache has."""
    asked = {"labelSelector": SELECTOR, "resourceVersion": "0"}
    pods = client.get("/api/v1/pods", params=asked).raise_for_status().json()["items"]
    write_public(file, json.dumps(target_groups(pods), indent=1) + "\n")


def run(options: argparse.Namespace) -> None:
    """Until SIGTERM or SIGINT; while the API server is away, the targets stay as they were."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    client = httpx.Client(
        base_url=options.server,
        headers={"Authorization": f"Bearer {options.token_file.read_text().strip()}"},
        verify=ssl.create_default_context(cafile=str(options.authority)),
        timeout=CALL_SECONDS,
        trust_env=False,
    )
    with client:
        while not stop.is_set():
            try:
                update(client, options.file)
            except httpx.HTTPError as error:
                sys.stderr.write(f"{options.server}: {error}\n")
            stop.wait(EVERY_SECONDS)


if __name__ == "__main__":
    run(parse())
