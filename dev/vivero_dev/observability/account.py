"""Prometheus' account in the cluster: it may look for pods, and nothing else."""

import base64
from typing import Final

from vivero_dev.platform.kubectl import Kubectl, Object
from vivero_dev.platform.names import PLATFORM
from vivero_dev.probing import until

NAME: Final = "vivero-prometheus"
TOKEN_SECONDS: Final = 30.0
_GROUP: Final = "rbac.authorization.k8s.io"


def account_objects() -> list[Object]:
    """ServiceAccount, rights, and a token that lasts as long as the account."""
    here = {"name": NAME, "namespace": PLATFORM}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": here, "automountServiceAccountToken": False},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": here | {"annotations": {"kubernetes.io/service-account.name": NAME}},
            "type": "kubernetes.io/service-account-token",
        },
        {
            "apiVersion": f"{_GROUP}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": NAME},
            "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}],
        },
        {
            "apiVersion": f"{_GROUP}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": NAME},
            "roleRef": {"apiGroup": _GROUP, "kind": "ClusterRole", "name": NAME},
            "subjects": [{"kind": "ServiceAccount", **here}],
        },
    ]


def ensure_token(kubectl: Kubectl) -> str:
    """Make the account, and wait until the cluster has signed its token."""
    kubectl.apply(account_objects())
    until("account of Prometheus", lambda: None if _token(kubectl) else "no token yet", TOKEN_SECONDS)
    return _token(kubectl)


def _token(kubectl: Kubectl) -> str:
    secret = kubectl.get("secret", NAME, PLATFORM) or {}
    return base64.b64decode(secret.get("data", {}).get("token", "")).decode()
