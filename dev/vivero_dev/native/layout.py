"""Paths, addresses and credentials of the parts of a native cluster."""

from dataclasses import dataclass
from pathlib import Path

from vivero_dev.certificates import Authority, KeyPair
from vivero_dev.instance import Instance
from vivero_dev.native.files import write_private
from vivero_dev.native.kubeconfig import kubeconfig
from vivero_dev.native.tools import program
from vivero_dev.platform.kubectl import Kubectl
from vivero_dev.processes import ProcessTable

# Inside the instance's own network namespace, so they are the same everywhere.
ETCD_PORT = 2379
APISERVER_PORT = 6443
CLUSTER_DOMAIN = "cluster.local"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Paths, addresses and credentials of an instance's Kubernetes."""

    instance: Instance

    @property
    def processes(self) -> ProcessTable:
        """The instance's supervised processes."""
        return ProcessTable(self.instance)

    @property
    def kubectl(self) -> Kubectl:
        """The cluster's administrator on a command line."""
        return Kubectl(self.tool_path("kubectl"), self.instance.kubeconfig)

    @property
    def node_name(self) -> str:
        """Name of the one node."""
        return self.instance.netns

    @property
    def node_ip(self) -> str:
        """The node's address: the namespace's end of the veth pair."""
        return str(self.instance.addresses.node.ip)

    @property
    def host_ip(self) -> str:
        """The host's end of the veth pair, which pods reach."""
        return str(self.instance.addresses.host.ip)

    @property
    def server(self) -> str:
        """Address of the API server, from the host and from inside."""
        return f"https://{self.node_ip}:{APISERVER_PORT}"

    @property
    def folder(self) -> Path:
        """Persistent state of the cluster."""
        return self.instance.folder("cluster")

    @property
    def volatile(self) -> Path:
        """Runtime state of the processes: sockets, mounts of containers.

        Not below the state folder: a socket's path has at most 107 bytes.
        """
        return Path("/run") / self.instance.netns

    @property
    def containerd_socket(self) -> Path:
        """Where containerd serves the container runtime interface."""
        return self.volatile / "containerd.sock"

    @property
    def authority(self) -> Authority:
        """The CA of Kubernetes' clients and servers, used for nothing else."""
        return Authority(self.folder / "kubernetes-ca")

    @property
    def etcd_authority(self) -> Authority:
        """The CA of etcd, kept separate because any of its clients can read every object."""
        return Authority(self.folder / "etcd-ca")

    def tool_path(self, name: str) -> Path:
        """Path of a built program."""
        return program(self.instance.cache_dir, name)

    def tool(self, name: str) -> str:
        """The same for a command line."""
        return str(self.tool_path(name))

    def client(self, user: str, *groups: str) -> KeyPair:
        """Certificate of a client of the API server."""
        return self.authority.issue(user, organisations=groups)

    def client_config(self, user: str, *groups: str) -> Path:
        """Kubeconfig of a client, in the cluster's folder."""
        content = kubeconfig(self.server, self.authority.ensure(), self.client(user, *groups))
        return write_private(self.folder / f"{user.replace(':', '-')}.kubeconfig", content)

    def write_admin_config(self) -> Path:
        """Kubeconfig of the administrator, for people and for `status`."""
        content = kubeconfig(self.server, self.authority.ensure(), self.client("vivero-admin", "system:masters"))
        return write_private(self.instance.kubeconfig, content)
