"""Where the API server is and how to log in: from a pod's service account, or from a kubeconfig file."""

import base64
import contextlib
import os
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from vivero_core.errors import ViveroError

SERVICE_ACCOUNT_DIR = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class KubeConfigError(ViveroError):
    """No usable configuration: the file or a field of it is missing."""


@dataclass(frozen=True, slots=True)
class KubeConfig:
    """A server and a login.

    The token is a file, because kubelet renews a pod's token in place.
    """

    server: str
    tls: ssl.SSLContext
    token_file: Path | None = None
    namespace: str = "default"


def load(path: Path | None = None) -> KubeConfig:
    """From `path`, else $KUBECONFIG, else the pod's service account.

    Raises:
        KubeConfigError: none of them is there, or it cannot be used.
    """
    chosen = path or (Path(os.environ["KUBECONFIG"]) if os.environ.get("KUBECONFIG") else None)
    return from_kubeconfig(chosen) if chosen else in_cluster()


def in_cluster(folder: Path = SERVICE_ACCOUNT_DIR) -> KubeConfig:
    """The service account that kubelet mounted into this pod."""
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host or not (folder / "token").is_file():
        raise KubeConfigError("not in a pod with a service account, and no kubeconfig is given")
    address = f"[{host}]" if ":" in host else host
    return KubeConfig(
        server=f"https://{address}:{port}",
        tls=ssl.create_default_context(cafile=str(folder / "ca.crt")),
        token_file=folder / "token",
        namespace=(folder / "namespace").read_text().strip(),
    )


def from_kubeconfig(path: Path) -> KubeConfig:
    """The current context of a kubeconfig file, with a client certificate or a token file."""
    try:
        document: dict[str, Any] = yaml.safe_load(path.read_text())
        context = _named(document, "contexts", document["current-context"])["context"]
        cluster = _named(document, "clusters", context["cluster"])["cluster"]
        user = _named(document, "users", context["user"])["user"]
        server: str = cluster["server"].rstrip("/")
        tls = _server_trust(cluster)
        _present_client_certificate(tls, user)
    except (OSError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise KubeConfigError(f"{path} is not a usable kubeconfig: {error}") from error
    token_file = Path(user["tokenFile"]) if "tokenFile" in user else None
    return KubeConfig(server, tls, token_file, context.get("namespace", "default"))


def _named(document: dict[str, Any], section: str, name: str) -> dict[str, Any]:
    entries: list[dict[str, Any]] = document[section]
    return next(entry for entry in entries if entry["name"] == name)


def _server_trust(cluster: dict[str, Any]) -> ssl.SSLContext:
    if "certificate-authority-data" in cluster:
        return ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    return ssl.create_default_context(cafile=cluster["certificate-authority"])


def _present_client_certificate(tls: ssl.SSLContext, user: dict[str, Any]) -> None:
    with _as_file(user, "client-certificate") as certificate, _as_file(user, "client-key") as key:
        if certificate:
            tls.load_cert_chain(certificate, key)


@contextlib.contextmanager
def _as_file(user: dict[str, Any], field: str) -> Iterator[str | None]:
    """The path a field names, or its inline data as a file that only we can read, for as long as needed."""
    data = user.get(f"{field}-data")
    if data is None:
        yield user.get(field)
        return
    with tempfile.NamedTemporaryFile() as file:  # made with mode 0600
        file.write(base64.b64decode(data))
        file.flush()
        yield file.name
