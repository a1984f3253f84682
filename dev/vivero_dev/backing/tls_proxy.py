"""Envoy as TLS proxy for a server that cannot be configured to refuse TLS 1.2.

It proxies TCP, not HTTP, so that signatures over host and path stay valid.
"""

from collections.abc import Sequence
from typing import Any

Document = dict[str, Any]
EXTENSIONS = "type.googleapis.com/envoy.extensions"
CONNECT_TIMEOUT = "5s"


def pipe(path: str) -> Document:
    """A Unix socket as an address."""
    return {"pipe": {"path": path}}


def socket(host: str, port: int) -> Document:
    """A host's port as an address; a name is resolved again as its DNS record ages."""
    return {"socket_address": {"address": host, "port_value": port}}


def configuration(*, listen: Sequence[Document], server: Document, folder: str) -> Document:
    """Envoy's bootstrap: TLS 1.3 on each of `listen`, certificates from `folder`, plain TCP to `server`."""
    endpoint = {"endpoint": {"address": server}}
    return {
        "static_resources": {
            "listeners": [
                {"name": f"tls-{number}", "address": address, "filter_chains": [_chain(folder)]}
                for number, address in enumerate(listen)
            ],
            "clusters": [
                {
                    "name": "server",
                    "type": "STATIC" if "pipe" in server else "STRICT_DNS",
                    "connect_timeout": CONNECT_TIMEOUT,
                    "load_assignment": {"cluster_name": "server", "endpoints": [{"lb_endpoints": [endpoint]}]},
                }
            ],
        }
    }


def _chain(folder: str) -> Document:
    certificate = {
        "certificate_chain": {"filename": f"{folder}/tls.crt"},
        "private_key": {"filename": f"{folder}/tls.key"},
    }
    return {
        "transport_socket": {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": f"{EXTENSIONS}.transport_sockets.tls.v3.DownstreamTlsContext",
                "common_tls_context": {
                    "tls_params": {
                        "tls_minimum_protocol_version": "TLSv1_3",
                        "tls_maximum_protocol_version": "TLSv1_3",
                    },
                    "tls_certificates": [certificate],
                },
            },
        },
        "filters": [
            {
                "name": "envoy.filters.network.tcp_proxy",
                "typed_config": {
                    "@type": f"{EXTENSIONS}.filters.network.tcp_proxy.v3.TcpProxy",
                    "stat_prefix": "tls",
                    "cluster": "server",
                },
            }
        ],
    }
