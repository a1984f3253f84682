"""A scanner that knows nothing of us, sent through a program of ours as somebody with a browser would be."""

import json
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from vivero_dev.instance import cache_root
from vivero_dev.testing.scanner import ensure_scanner

MODULES: Final = (
    *("sql", "xss", "permanentxss", "ssrf", "file", "exec", "redirect", "crlf", "xxe"),
    *("http_headers", "cookieflags", "methods", "csp"),
)
# As pages answer: OPTIONS says what there is, and POST is a form's.
_METHODS: Final = {"OPTIONS", "POST"}
DEPTH: Final = 4
TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: for finding pages, and for each module on what was found."""

    crawl: float
    attack: float

    @property
    def patience(self) -> float:
        """When it hangs."""
        return 60 + 2 * (self.crawl + self.attack * len(MODULES))


QUICK: Final = Pace(3, 0.6)
WHOLE: Final = Pace(90, 60)


@dataclass(frozen=True, slots=True)
class Finding:
    """What it takes for a hole, or for worth a look."""

    module: str
    kind: str
    where: str
    said: str

    @property
    def is_no_matter(self) -> bool:
        """It lists whatever methods there are: none but those of pages is no finding."""
        return self.module == "methods" and set(re.findall(r"([A-Z]+) \(\d+\)", self.said)) <= _METHODS


@dataclass(frozen=True, slots=True)
class Scan:
    """What came of it."""

    pages: int
    findings: list[Finding]
    called: list[str]
    """What the program under test asked of the address that the payloads name: there the scanner waits for it."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where it is sent, and as whom.

    Attributes:
        closed: paths (with `*`) that it leaves alone.
        begin: paths that it begins at, besides the first page.
        headers: more of them, in every request.
    """

    address: str
    cookies: Mapping[str, str] = field(default_factory=dict)
    closed: Sequence[str] = ()
    begin: Sequence[str] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def words(self) -> Iterator[str]:
        """Of the command's line."""
        yield from ("--url", f"{self.address}/", "--scope", "folder", "--depth", str(DEPTH))
        # As a form of our own page says: what other pages send is refused before anything is looked at.
        for name, value in {"Sec-Fetch-Site": "same-origin", **self.headers}.items():
            yield from ("--header", f"{name}: {value}")
        for path in ("/static/*", *self.closed):
            yield from ("--exclude", self.address + path)
        for path in self.begin:
            yield from ("--start", self.address + path)
        if self.cookies:
            yield from ("--cookie-value", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))


def scan(target: Target, folder: Path, pace: Pace) -> Scan:
    """Look for pages, and attack them."""
    report = folder / "report.json"
    with _waiting() as (endpoint, called):
        command = [
            *ensure_scanner(cache_root(), folder / "install.log"),
            *target.words(),
            *("--module", ",".join(MODULES), "--endpoint", endpoint),
            *("--max-scan-time", str(pace.crawl), "--max-attack-time", str(pace.attack)),
            *("--flush-session", "--store-session", str(folder / "session"), "--store-config", str(folder / "config")),
            *("--no-bugreport", "--format", "json", "--output", str(report)),
        ]
        done = _sent(command, pace.patience)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    missing = [module for module in MODULES if f"Launching module {module}" not in done.stdout]
    assert missing == [], done.stdout[-2000:]
    found = json.loads(report.read_text())
    return Scan(found["infos"]["crawled_pages_nbr"], list(_findings(found)), called)


def _sent(command: list[str], seconds: float) -> "subprocess.CompletedProcess[str]":
    """A module whose time is over is cut off in the middle, and then the scanner's own database is now and then locked.

    So one that fell over that is sent again; what the last one found counts.
    """
    for _ in range(TRIES):
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)  # noqa: S603  ours
        if not (done.returncode and "database is locked" in done.stderr):
            break
    return done


def _findings(report: dict[str, Any]) -> Iterator[Finding]:
    for part in ("vulnerabilities", "anomalies", "additionals"):
        for kind, all_of_it in report[part].items():
            for one in all_of_it:
                where = f"{one['method']} {one['path']} {one['parameter']}"
                finding = Finding(one["module"], kind, where, one["info"])
                if not finding.is_no_matter:
                    yield finding


@contextmanager
def _waiting() -> Iterator[tuple[str, list[str]]]:
    """An address that payloads name, and what was asked there; the scanner itself asks for its results."""
    called: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if "/get_" not in self.path:
                called.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", called
    server.shutdown()
    server.server_close()
