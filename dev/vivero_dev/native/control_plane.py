"""etcd, the API server, the controller manager and the scheduler as processes."""

import base64
import json
import secrets
from pathlib import Path

from vivero_dev.certificates import KeyPair
from vivero_dev.native.files import write_private, write_public
from vivero_dev.native.layout import APISERVER_PORT, CLUSTER_DOMAIN, ETCD_PORT, Cluster
from vivero_dev.native.probes import https_answers
from vivero_dev.processes import ProcessSpec

# All clients are ours: client-side rate limits must never delay a tenant.
CLIENT_QPS = 300
CLIENT_BURST = 600
# Own health servers of the two controllers, defaults of Kubernetes.
CONTROLLER_MANAGER_PORT = 10257
SCHEDULER_PORT = 10259


def etcd(cluster: Cluster) -> ProcessSpec:
    authority = cluster.etcd_authority
    server = authority.issue("server", [cluster.node_ip])
    url = f"https://{cluster.node_ip}:{ETCD_PORT}"
    return ProcessSpec(
        name="etcd",
        command=[
            cluster.tool("etcd"),
            "--name=vivero",
            f"--data-dir={cluster.folder / 'etcd'}",
            f"--listen-client-urls={url}",
            f"--advertise-client-urls={url}",
            # A single member has no peers; the namespace's loopback is not reachable from outside.
            "--listen-peer-urls=http://127.0.0.1:2380",
            "--initial-advertise-peer-urls=http://127.0.0.1:2380",
            "--initial-cluster=vivero=http://127.0.0.1:2380",
            f"--cert-file={server.certificate}",
            f"--key-file={server.key}",
            "--client-cert-auth",
            f"--trusted-ca-file={authority.certificate}",
            "--tls-min-version=TLS1.3",
            "--auto-compaction-retention=1h",
            # Without fsync only a crash of the machine loses data, not a killed
            # process; a slow disk then never delays a write.
            "--unsafe-no-fsync",
            "--logger=zap",
            "--log-level=warn",
        ],
        netns=cluster.instance.netns_path,
        ready=lambda: https_answers(
            cluster.node_ip, ETCD_PORT, "/health", authority.certificate, _etcd_client(cluster)
        ),
        deadline=60,
    )


def apiserver(cluster: Cluster) -> ProcessSpec:
    admin = cluster.client("vivero-admin", "system:masters")
    return ProcessSpec(
        name="kube-apiserver",
        command=[cluster.tool("kube-apiserver"), *_apiserver_flags(cluster)],
        netns=cluster.instance.netns_path,
        ready=lambda: https_answers(cluster.node_ip, APISERVER_PORT, "/readyz", cluster.authority.certificate, admin),
        deadline=120,
    )


def _apiserver_flags(cluster: Cluster) -> list[str]:
    authority = cluster.authority
    server = authority.issue("kube-apiserver", _apiserver_names(cluster))
    kubelet_client = cluster.client("kube-apiserver-kubelet-client")
    etcd_client = _etcd_client(cluster)
    tokens = authority.issue("service-accounts")
    return [
        f"--advertise-address={cluster.node_ip}",
        f"--secure-port={APISERVER_PORT}",
        f"--etcd-servers=https://{cluster.node_ip}:{ETCD_PORT}",
        f"--etcd-cafile={cluster.etcd_authority.certificate}",
        f"--etcd-certfile={etcd_client.certificate}",
        f"--etcd-keyfile={etcd_client.key}",
        f"--encryption-provider-config={write_encryption(cluster)}",
        f"--service-cluster-ip-range={cluster.instance.addresses.services}",
        "--authorization-mode=Node,RBAC",
        # PodSecurity, quotas and the rest are on by default.
        "--enable-admission-plugins=NodeRestriction",
        "--anonymous-auth=false",
        f"--client-ca-file={authority.certificate}",
        f"--tls-cert-file={server.certificate}",
        f"--tls-private-key-file={server.key}",
        "--tls-min-version=VersionTLS13",
        f"--kubelet-certificate-authority={authority.certificate}",
        f"--kubelet-client-certificate={kubelet_client.certificate}",
        f"--kubelet-client-key={kubelet_client.key}",
        # The node's name resolves nowhere.
        "--kubelet-preferred-address-types=InternalIP",
        f"--service-account-issuer=https://kubernetes.default.svc.{CLUSTER_DOMAIN}",
        f"--service-account-key-file={tokens.certificate}",
        f"--service-account-signing-key-file={tokens.key}",
        # Twice the defaults: one operator fills a thousand namespaces at once.
        "--max-requests-inflight=800",
        "--max-mutating-requests-inflight=400",
        "--profiling=false",
        "--event-ttl=2h",
    ]


def controller_manager(cluster: Cluster) -> ProcessSpec:
    config = cluster.client_config("system:kube-controller-manager")
    tokens = cluster.authority.issue("service-accounts")
    serving = cluster.authority.issue("kube-controller-manager", [cluster.node_ip])
    return ProcessSpec(
        name="kube-controller-manager",
        command=[
            cluster.tool("kube-controller-manager"),
            f"--kubeconfig={config}",
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            f"--tls-cert-file={serving.certificate}",
            f"--tls-private-key-file={serving.key}",
            "--tls-min-version=VersionTLS13",
            f"--client-ca-file={cluster.authority.certificate}",
            f"--root-ca-file={cluster.authority.certificate}",
            f"--service-account-private-key-file={tokens.key}",
            "--use-service-account-credentials=true",
            "--leader-elect=false",
            f"--kube-api-qps={CLIENT_QPS}",
            f"--kube-api-burst={CLIENT_BURST}",
            # Namespaces of tenants come and go in hundreds.
            "--concurrent-deployment-syncs=20",
            "--concurrent-replicaset-syncs=20",
            "--concurrent-namespace-syncs=20",
            "--concurrent-service-endpoint-syncs=20",
            "--concurrent-resource-quota-syncs=20",
            "--terminated-pod-gc-threshold=100",
            "--profiling=false",
        ],
        netns=cluster.instance.netns_path,
        ready=lambda: _controller_answers(cluster, CONTROLLER_MANAGER_PORT),
        deadline=60,
    )


def scheduler(cluster: Cluster) -> ProcessSpec:
    config = cluster.client_config("system:kube-scheduler")
    serving = cluster.authority.issue("kube-scheduler", [cluster.node_ip])
    file = cluster.folder / "scheduler.json"
    configuration = scheduler_configuration(config)
    write_public(file, configuration)
    return ProcessSpec(
        name="kube-scheduler",
        command=[
            cluster.tool("kube-scheduler"),
            f"--config={file}",
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            f"--tls-cert-file={serving.certificate}",
            f"--tls-private-key-file={serving.key}",
            "--tls-min-version=VersionTLS13",
            f"--client-ca-file={cluster.authority.certificate}",
        ],
        netns=cluster.instance.netns_path,
        revision=configuration,
        ready=lambda: _controller_answers(cluster, SCHEDULER_PORT),
        deadline=60,
    )


def scheduler_configuration(kubeconfig: Path) -> str:
    document = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {"kubeconfig": str(kubeconfig), "qps": CLIENT_QPS, "burst": CLIENT_BURST},
        "leaderElection": {"leaderElect": False},
        "enableProfiling": False,
    }
    return json.dumps(document, indent=2) + "\n"


def write_encryption(cluster: Cluster) -> Path:
    """Encrypt Secrets in etcd with a key of the instance, generated once."""
    file = cluster.instance.secrets_dir / "encryption.json"
    if not file.exists():
        write_private(file, encryption_configuration(secrets.token_bytes(32)))
    return file


def encryption_configuration(key: bytes) -> str:
    """XSalsa20-Poly1305 for Secrets; unencrypted ones of an earlier run stay readable."""
    document = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": [
            {
                "resources": ["secrets"],
                "providers": [
                    {"secretbox": {"keys": [{"name": "local", "secret": base64.b64encode(key).decode()}]}},
                    {"identity": {}},
                ],
            }
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _apiserver_names(cluster: Cluster) -> list[str]:
    return [
        cluster.node_ip,
        str(cluster.instance.addresses.services[1]),
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        f"kubernetes.default.svc.{CLUSTER_DOMAIN}",
    ]


def _etcd_client(cluster: Cluster) -> KeyPair:
    return cluster.etcd_authority.issue("kube-apiserver")


def _controller_answers(cluster: Cluster, port: int) -> bool:
    # /healthz needs no authentication by default.
    admin = cluster.client("vivero-admin", "system:masters")
    return https_answers(cluster.node_ip, port, "/healthz", cluster.authority.certificate, admin)
