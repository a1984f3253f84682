"""kubelet and kube-proxy: the node's two agents."""

import json
from typing import Any

from vivero_dev.native.control_plane import CLIENT_BURST, CLIENT_QPS
from vivero_dev.native.files import write_public
from vivero_dev.native.layout import CLUSTER_DOMAIN, Cluster
from vivero_dev.native.probes import http_answers
from vivero_dev.processes import ProcessSpec

# A /20 of addresses would carry 4,000; two cores start and probe this many.
MAX_PODS = 250
EVICTION_SIGNALS = (
    "memory.available",
    "nodefs.available",
    "nodefs.inodesFree",
    "imagefs.available",
    "imagefs.inodesFree",
)
HEALTH_PORT = 10248
PROXY_HEALTH_PORT = 10256


def kubelet(cluster: Cluster) -> ProcessSpec:
    file = cluster.folder / "kubelet.json"
    configuration = json.dumps(kubelet_configuration(cluster), indent=2) + "\n"
    write_public(file, configuration)
    return ProcessSpec(
        name="kubelet",
        command=[
            cluster.tool("kubelet"),
            f"--config={file}",
            f"--kubeconfig={cluster.client_config(f'system:node:{cluster.node_name}', 'system:nodes')}",
            f"--root-dir={cluster.folder / 'kubelet'}",
            f"--hostname-override={cluster.node_name}",
            f"--node-ip={cluster.node_ip}",
        ],
        netns=cluster.instance.netns_path,
        revision=configuration,
        ready=lambda: http_answers(cluster.node_ip, HEALTH_PORT, "/healthz"),
        deadline=60,
    )


def kubelet_configuration(cluster: Cluster) -> dict[str, Any]:
    serving = cluster.authority.issue("kubelet", [cluster.node_ip])
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{cluster.containerd_socket}",
        "clusterDomain": CLUSTER_DOMAIN,
        "clusterDNS": [str(cluster.instance.addresses.dns)],
        "resolvConf": "",
        "volumePluginDir": str(cluster.folder / "volume-plugins"),
        "podLogsDir": str(cluster.folder / "pod-logs"),
        "healthzBindAddress": cluster.node_ip,
        **_access(cluster, str(serving.certificate), str(serving.key)),
        **_isolation(cluster),
        **_fast_sync(),
        **_no_collection(),
    }


def _access(cluster: Cluster, certificate: str, key: str) -> dict[str, Any]:
    return {
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(cluster.authority.certificate)},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": certificate,
        "tlsPrivateKeyFile": key,
        "tlsMinVersion": "VersionTLS13",
        "readOnlyPort": 0,
    }


def _isolation(cluster: Cluster) -> dict[str, Any]:
    """Cgroup settings that work without privileges which the machine may not grant."""
    return {
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cluster.instance.cgroup}",
        "failCgroupV1": False,
        "enforceNodeAllocatable": [],
        "localStorageCapacityIsolation": False,
        "oomScoreAdj": 0,
        "failSwapOn": False,
        "protectKernelDefaults": False,
        "seccompDefault": True,
    }


def _fast_sync() -> dict[str, Any]:
    """Low latency: no serial pulls, no client rate limit, short sync periods."""
    return {
        "maxPods": MAX_PODS,
        "serializeImagePulls": False,
        "registryPullQPS": 0,
        "kubeAPIQPS": CLIENT_QPS,
        "kubeAPIBurst": CLIENT_BURST,
        "eventRecordQPS": 0,
        # How late a changed Secret or ConfigMap may reach a mounted file.
        "syncFrequency": "10s",
        "configMapAndSecretChangeDetectionStrategy": "Watch",
        "shutdownGracePeriod": "0s",
    }


def _no_collection() -> dict[str, Any]:
    """No image garbage collection and no eviction: images cannot be pulled again, and there is no other node."""
    return {
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": dict.fromkeys(EVICTION_SIGNALS, "0%"),
        "containerLogMaxSize": "10Mi",
        "containerLogMaxFiles": 2,
    }


def kube_proxy(cluster: Cluster) -> ProcessSpec:
    file = cluster.folder / "kube-proxy.json"
    configuration = json.dumps(proxy_configuration(cluster), indent=2) + "\n"
    write_public(file, configuration)
    return ProcessSpec(
        name="kube-proxy",
        command=[cluster.tool("kube-proxy"), f"--config={file}", f"--hostname-override={cluster.node_name}"],
        netns=cluster.instance.netns_path,
        revision=configuration,
        ready=lambda: http_answers(cluster.node_ip, PROXY_HEALTH_PORT, "/healthz"),
        deadline=60,
    )


def proxy_configuration(cluster: Cluster) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {
            "kubeconfig": str(cluster.client_config("system:kube-proxy")),
            "qps": CLIENT_QPS,
            "burst": CLIENT_BURST,
        },
        "clusterCIDR": str(cluster.instance.addresses.pods),
        "detectLocalMode": "ClusterCIDR",
        "healthzBindAddress": f"{cluster.node_ip}:{PROXY_HEALTH_PORT}",
        # Conntrack limits apply to the whole machine: do not change them.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        # Maximum delay until a new Service works; with the default of a second every tenant would wait.
        "iptables": {"minSyncPeriod": "100ms", "syncPeriod": "30s"},
    }
