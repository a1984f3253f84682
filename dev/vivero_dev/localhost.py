"""HTTPS to the platform's own hosts.

`*.localhost` is this machine to every browser but not to every resolver, so
requests go to 127.0.0.1 while name, SNI and certificate check stay the host's.
"""

import ssl
from pathlib import Path

import httpx

LOOPBACK = "127.0.0.1"


class LoopbackTransport(httpx.HTTPTransport):
    """Connects every host under `localhost` to 127.0.0.1."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        if host == "localhost" or host.endswith(".localhost"):
            request.extensions = {**request.extensions, "sni_hostname": host}
            request.url = request.url.copy_with(host=LOOPBACK)
        return super().handle_request(request)


def local_client(authority: Path, *, timeout: float = 10.0) -> httpx.Client:
    """A client that trusts the local certificate authority alone and speaks TLS 1.3."""
    context = ssl.create_default_context(cafile=str(authority))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return httpx.Client(transport=LoopbackTransport(verify=context), timeout=timeout)
