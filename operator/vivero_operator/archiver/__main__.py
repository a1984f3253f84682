"""The archiver's program: `python -m vivero_operator.archiver`, one for each database server (manifests/archiver.py)."""

import hashlib
import logging
import os
import random
import signal
import threading
import time
from contextlib import ExitStack, closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3.calls import Endpoint
from vivero_core.backends.s3.small import SmallTransport

from vivero_operator.archiver import metrics
from vivero_operator.archiver.archive import Archive
from vivero_operator.archiver.bucket import Bucket
from vivero_operator.archiver.configuration import (
    ADMIN_PORT,
    ARCHIVE_KEYS,
    ERASED,
    FOLDER,
    LOGIN,
    PLATFORM_SCHEMA,
    STORAGE,
    STORAGE_KEYS,
)
from vivero_operator.archiver.events import BinlogError
from vivero_operator.archiver.lock import Lock
from vivero_operator.archiver.position import Gap, Positions
from vivero_operator.archiver.replication import LogGoneError, Source, Stream, StreamError, Ticker
from vivero_operator.operations.errors import StepFailedError

logger = logging.getLogger("vivero_operator.archiver")

LAG_SECONDS: Final = 60.0
"""An archiver that is further behind is not ready."""
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_SERVER_IDS: Final = 1 << 31
"""Ours are above it, where people choose none."""


class Archiver:
    """Follows one server's log until it is told to stop."""

    def __init__(self, folder: Path, keys: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        self._keys = keys
        self._uid = environment["VIVERO_SERVER_UID"]
        self._host, self._port = environment["VIVERO_SERVER_HOST"], int(environment["VIVERO_SERVER_PORT"])
        self._platform_schema = environment.get(PLATFORM_SCHEMA)
        self._archived = time.monotonic()
        self._stopped = False
        """The log could not be cut, and nothing has been read since."""
        self.stopping = threading.Event()

    @property
    def ready(self) -> bool:
        return time.monotonic() - self._archived < LAG_SECONDS

    def run(self) -> None:
        pause = _FIRST_PAUSE
        self._archived -= LAG_SECONDS  # not ready before the first position is stored
        while not self.stopping.is_set():
            begun = time.monotonic()
            try:
                self._follow()
            except (StreamError, StepFailedError) as error:
                logger.warning("archiving stopped, trying again: %s", error)
            except BinlogError:
                self._note_stopped(stopped=True)
                logger.exception("the log cannot be cut here; nothing behind it is archived")
            pause = _FIRST_PAUSE if time.monotonic() - begun > _LONGEST_PAUSE else min(2 * pause, _LONGEST_PAUSE)
            self.stopping.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311  jitter

    def _note_stopped(self, *, stopped: bool) -> None:
        self._stopped = stopped
        metrics.STOPPED.set(stopped)

    def _follow(self) -> None:
        """Archive from the stored position on, until something breaks."""
        source = self._source()
        with closing(self._bucket()) as store, Ticker(source) as ticker, Stream(source) as stream, ExitStack() as exits:
            archive = exits.enter_context(
                closing(Archive(store, self._uid, self._key_of, lambda: ticker.now, self._platform_schema))
            )
            logger.info(
                "following the log of %s after %s", self._host, archive.position.connect_state or "its beginning"
            )
            try:
                for raw in stream.events(archive.position.connect_state):
                    for tick in ticker.ticks():
                        archive.tick(tick)
                    archive.take(raw)
                    archive.store_due()
                    if self._stopped:
                        self._note_stopped(stopped=False)
                    self._archived = time.monotonic() - max(0.0, ticker.now - archive.position.until)
                    if self.stopping.is_set():
                        archive.store_due(everything=True)
                        return
            except LogGoneError as error:
                self._skip(Positions(store, self._uid), error, ticker.now)

    def _skip(self, positions: Positions, error: LogGoneError, now: float) -> None:
        """Go on with the oldest log that the server still has; restores across the gap are refused."""
        position = positions.load()
        logger.error("gap: %s", error)
        metrics.GAPS.inc()
        positions.add_gap(Gap(position.connect_state, position.until, int(now)))
        positions.save(replace(position, gtids={}, gaps=position.gaps + 1))

    def _key_of(self, tenant: str) -> bytes | None:
        try:
            told = (self._keys / tenant).read_text()
        except FileNotFoundError:
            return None
        return b"" if told == ERASED else bytes.fromhex(told)

    def _source(self) -> Source:
        login = self._folder / LOGIN
        return Source(
            host=self._host,
            port=self._port,
            user=(login / "username").read_text().strip(),
            password=(login / "password").read_text().strip(),
            authority=(self._folder / "server-ca.crt").read_text(),
            server_id=_SERVER_IDS + int.from_bytes(hashlib.sha256(self._uid.encode()).digest()[:3], "big"),
        )

    def _bucket(self) -> Bucket:
        told = {name: (self._folder / STORAGE / name).read_text().strip() for name in STORAGE_KEYS}
        endpoint = Endpoint(told["endpoint"], told["region"], (self._folder / "ca.crt").read_text())
        login = Credentials(told["access_key"], told["secret_key"])
        return Bucket(SmallTransport(endpoint), told["bucket"], login, Lock.of(os.environ))


def handler(archiver: Archiver) -> type[BaseHTTPRequestHandler]:
    """Answers kubelet and Prometheus."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = 200, b"ok\n"
            if self.path == "/readyz" and not archiver.ready:
                status, body = 503, b"the archive is not up to date\n"
            if self.path == "/metrics":
                body = metrics.text()
            self.send_response(status)
            self.send_header("Content-Type", metrics.CONTENT_TYPE if self.path == "/metrics" else "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Probes are no news."""

    return Handler


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    archiver = Archiver(Path(FOLDER), Path(ARCHIVE_KEYS), dict(os.environ))
    signal.signal(signal.SIGTERM, lambda *_: archiver.stopping.set())
    server = ThreadingHTTPServer(("", ADMIN_PORT), handler(archiver))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    archiver.run()
    server.shutdown()


if __name__ == "__main__":
    main()
