"""Network configuration of the pods: one bridge, addresses handed out from the instance's range."""

import json

from vivero_dev.native.layout import Cluster

# Name inside the namespace, at most 15 bytes.
BRIDGE = "pods0"


def cni_configuration(cluster: Cluster) -> str:
    """A bridge with host-local addresses. It does not enforce NetworkPolicy."""
    addresses = cluster.instance.addresses
    document = {
        "cniVersion": "0.4.0",
        "name": cluster.instance.netns,
        "plugins": [
            {
                "type": "bridge",
                "bridge": BRIDGE,
                "isGateway": True,
                # A pod may call the Service in front of itself.
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": str(addresses.pods)}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                    "dataDir": str(cluster.volatile / "addresses"),
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }
    return json.dumps(document, indent=2) + "\n"
