"""Readiness probes of servers; a failed probe returns False and never raises."""

import http.client
import socket
import ssl
from pathlib import Path

from vivero_dev.certificates import KeyPair

# One probe; the caller repeats it until its own deadline.
PROBE_SECONDS = 2.0
HTTP_OK = 200


def https_answers(host: str, port: int, path: str, authority: Path, client: KeyPair) -> bool:
    """Whether a GET with this client certificate is answered with 200."""
    context = ssl.create_default_context(cafile=str(authority))
    context.load_cert_chain(client.certificate, client.key)
    return _answers(http.client.HTTPSConnection(host, port, timeout=PROBE_SECONDS, context=context), path)


def http_answers(host: str, port: int, path: str) -> bool:
    """Whether a plain GET is answered with 200."""
    return _answers(http.client.HTTPConnection(host, port, timeout=PROBE_SECONDS), path)


def unix_socket_accepts(file: Path) -> bool:
    """Whether a process listens on that socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_SECONDS)
        try:
            probe.connect(str(file))
        except OSError:
            return False
    return True


def _answers(connection: http.client.HTTPConnection, path: str) -> bool:
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTP_OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
