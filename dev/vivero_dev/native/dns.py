"""CoreDNS as a process of the node: cluster names from the API server, and our own ingress names."""

from vivero_dev.native.files import write_public
from vivero_dev.native.layout import CLUSTER_DOMAIN, Cluster
from vivero_dev.native.objects import DNS_PORT, DNS_USER
from vivero_dev.native.probes import http_answers
from vivero_dev.processes import ProcessSpec

INGRESS_DOMAIN = "vivero.localhost"
READY_PORT = 8181


def coredns(cluster: Cluster) -> ProcessSpec:
    file = cluster.folder / "Corefile"
    config = cluster.client_config(DNS_USER)
    configuration = corefile(cluster.node_ip, cluster.host_ip, str(config))
    write_public(file, configuration)
    return ProcessSpec(
        name="coredns",
        command=[cluster.tool("coredns"), "-conf", str(file)],
        netns=cluster.instance.netns_path,
        revision=configuration,
        ready=lambda: http_answers(cluster.node_ip, READY_PORT, "/ready"),
        deadline=60,
    )


def corefile(node: str, ingress: str, kubeconfig: str) -> str:
    """Resolves names of the cluster and the ingress; all others are NXDOMAIN, nothing is forwarded."""
    return f"""\
{CLUSTER_DOMAIN}:{DNS_PORT} in-addr.arpa:{DNS_PORT} {{
    bind {node}
    errors
    ready {node}:{READY_PORT}
    kubernetes {CLUSTER_DOMAIN} in-addr.arpa {{
        kubeconfig {kubeconfig}
        ttl 5
    }}
    loadbalance
}}
{INGRESS_DOMAIN}:{DNS_PORT} {{
    bind {node}
    errors
    template IN A {{
        answer "{{{{ .Name }}}} 60 IN A {ingress}"
    }}
    template IN ANY {{
        rcode NOERROR
    }}
}}
.:{DNS_PORT} {{
    bind {node}
    errors
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""
