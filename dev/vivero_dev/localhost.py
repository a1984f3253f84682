"""HTTPS to the platform's own hosts.

`*.localhost` is this machine to every browser but not to every resolver, so
requests go to 127.0.0.1 while name, SNI and certificate check stay the host's.
"""

import ssl
from pathlib import Path

import httpx

LOOPBACK = "127.0.0.1"


class LoopbackTransport(httpx.BaseTransport):
    """Connects every host under `localhost` to 127.0.0.1.

    Each host has connections of its own: the ingress answers 421 to a request
    on a connection that was opened with another host's name.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._hosts: dict[str, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        if host not in self._hosts:
            self._hosts[host] = httpx.HTTPTransport(verify=self._context)
        return self._hosts[host].handle_request(_to_loopback(request))

    def close(self) -> None:
        for transport in self._hosts.values():
            transport.close()


def local_client(authority: Path, *, timeout: float = 10.0) -> httpx.Client:
    """A client that trusts the local certificate authority alone and speaks TLS 1.3."""
    context = ssl.create_default_context(cafile=str(authority))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return httpx.Client(transport=LoopbackTransport(context), timeout=timeout)


def _to_loopback(request: httpx.Request) -> httpx.Request:
    """The same request to another address; the original stays as it is, cookies go by its host."""
    host = request.url.host
    if host != "localhost" and not host.endswith(".localhost"):
        return request
    return httpx.Request(
        request.method,
        request.url.copy_with(host=LOOPBACK),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": host},
    )
