"""Reports of errors, as they leave: sent by the real library from a process of its own to a server that records them."""

import gzip
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from vivero_core import error_reports

SECRET = "hunter2hunter2"
PROGRAM = f"""
import logging, sys
from vivero_core import error_reports

error_reports.start(sys.argv[1], "vivero-operator")
log = logging.getLogger("ours")
log.warning("connecting to db://u:%s@host/", "{SECRET}")

def fails(password):
    raise ValueError("no way to valkeys://u:" + password + "@host/")

try:
    fails("".join(["hunter2", "hunter2"]))
except ValueError:
    log.exception("failed with Bearer %s", "".join(["hunter2", "hunter2"]), extra={{"token": "".join(["hunter2"] * 2)}})
import sentry_sdk
sentry_sdk.flush(20)
"""


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """An address for reports, and what came."""
    came: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.append((gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body).decode())
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401  the base class names it so
            """Nothing: what came is in the list."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://key@127.0.0.1:{server.server_address[1]}/1", came
        finally:
            server.shutdown()
            thread.join()


def test_a_report_says_what_broke_and_where_and_nothing_secret() -> None:
    with listening() as (address, came):
        program = PROGRAM.replace(f'"{SECRET}"', '"".join(["hunter2"] * 2)')
        subprocess.run(  # noqa: S603  our own program
            [sys.executable, "-c", program, address],
            env={"PYTHONPATH": ":".join(sys.path), "PATH": os.environ["PATH"]},
            check=True,
            timeout=60,
        )
    report = next(one for one in came if "ValueError" in one)
    assert "fails" in report, "the traceback names the function"
    assert '"server_name":"vivero-operator"' in report.replace(" ", "")
    assert SECRET not in "".join(came)


@pytest.mark.parametrize("dsn", [None, "https://key@sentry.example.com/1"])
def test_only_with_an_address(monkeypatch: pytest.MonkeyPatch, dsn: str | None) -> None:
    started: list[dict[str, object]] = []
    monkeypatch.setattr("sentry_sdk.init", lambda **options: started.append(options))
    error_reports.start(dsn, "ours")
    assert [(one["send_default_pii"], one["include_local_variables"]) for one in started] == [(False, False)] * bool(
        dsn
    )


def test_of_a_request_only_the_address_is_left() -> None:
    event = {
        "request": {"url": "https://x/y", "query_string": "ticket=1", "data": {"password": "p"}, "cookies": {"a": "b"}},
        "exception": {"values": [{"type": "E", "value": "no way to db://u:hunter2@host/"}]},
        "extra": {"token": "hunter2"},
    }
    sent = error_reports.without_private(event, None)
    assert sent["request"] == {"url": "https://x/y"}
    assert "hunter2" not in str(sent)
