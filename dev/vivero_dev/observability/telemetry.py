"""Configuration of Jaeger and of the agent that reads logs. Pure."""

from collections.abc import Sequence
from typing import Final

from vivero_dev.observability.configuration import written

DAYS: Final = 15
"""How long traces and logs are kept."""
MESSAGE_FIELDS: Final = ("event", "message")
TIME_FIELDS: Final = ("timestamp", "@timestamp")
"""As our programs name them in their lines, and with the names of ECS."""
_QUIET: Final = {"logs": {"level": "warn"}, "metrics": {"level": "none"}}


def jaeger(asked: str, receivers: Sequence[str], folder: str) -> str:
    """`asked`: where it answers over TLS, by the pair in `folder`. `receivers`: where it takes OTLP over HTTP, HOST:PORT."""
    pair = {"cert_file": f"{folder}/tls.crt", "key_file": f"{folder}/tls.key"}
    taken = {f"otlp/{number}": {"protocols": {"http": {"endpoint": one}}} for number, one in enumerate(receivers)}
    files = {"keys": f"{folder}/data/keys", "values": f"{folder}/data/values"}
    badger = {"directories": files, "ephemeral": False, "ttl": {"spans": f"{24 * DAYS}h"}}
    # Nobody asks over gRPC: it gets any free port.
    query = {
        "storage": {"traces": "kept"},
        "http": {"endpoint": asked, "tls": pair},
        "grpc": {"endpoint": "127.0.0.1:0"},
        "enable_tracing": False,  # of itself
    }
    return written(
        {
            "service": {
                "extensions": ["jaeger_storage", "jaeger_query"],
                "pipelines": {
                    "traces": {
                        "receivers": list(taken),
                        "processors": ["batch"],
                        "exporters": ["jaeger_storage_exporter"],
                    }
                },
                "telemetry": _QUIET,
            },
            "extensions": {"jaeger_storage": {"backends": {"kept": {"badger": badger}}}, "jaeger_query": query},
            "receivers": taken,
            "processors": {"batch": {}},
            "exporters": {"jaeger_storage_exporter": {"trace_storage": "kept"}},
        }
    )


def kubeconfig(server: str, authority_file: str, token: str) -> str:
    """Of an account that has a token."""
    name = "platform"
    return written(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority": authority_file}}],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
    )
