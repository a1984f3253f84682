"""Self-contained kubeconfig files."""

import base64
import json
from pathlib import Path

from vivero_dev.certificates import KeyPair


def kubeconfig(server: str, authority: Path, pair: KeyPair, *, name: str = "vivero") -> str:
    """A kubeconfig as JSON, which is YAML too: client certificate, key and authority embedded."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": _encoded(authority)}}],
        "users": [
            {
                "name": name,
                "user": {
                    "client-certificate-data": _encoded(pair.certificate),
                    "client-key-data": _encoded(pair.key),
                },
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return json.dumps(document, indent=2) + "\n"


def _encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
