"""HTTP servers of this package's own programs, as a thread of them, and their TLS."""

import ssl
import threading
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Final

STOP_SECONDS: Final = 10.0


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate, key)
    return context


def serve_in_thread(server: ThreadingHTTPServer) -> Callable[[], None]:
    """Serve; returns a function that stops it and closes its socket."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        thread.join(STOP_SECONDS)
        server.server_close()

    return stop
