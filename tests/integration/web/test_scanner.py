"""The scanner itself: what it is there to find it finds, and says so in the form that our tests read."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from support.scanner import QUICK, Target, scan


class Careless(BaseHTTPRequestHandler):
    """Shows what it was asked, as it is; and leads wherever it is told."""

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        self.send_response(302 if "to" in query else 200)
        self.send_header("Content-Type", "text/html")
        if "to" in query:
            self.send_header("Location", query["to"][0])
        self.send_header("Set-Cookie", "session=1")
        self.end_headers()
        page = f'<a href="/?name=a">a</a><a href="/go?to=/">b</a><p>{query.get("name", [""])[0]}</p>'
        self.wfile.write(f"<html><body>{page}</body></html>".encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def careless() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Careless)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.full
def test_a_careless_program_does_not_pass(careless: str, tmp_path: Path) -> None:
    found = scan(Target(careless), tmp_path, QUICK)
    assert {"xss", "redirect", "http_headers", "cookieflags", "csp"} <= {one.module for one in found.findings}
