"""Accounts in the cluster of the programs that watch it: they may look for what they ask for, and nothing else."""

import base64
from dataclasses import dataclass
from typing import Final

from vivero_dev.platform.kubectl import Kubectl, Object
from vivero_dev.platform.names import PLATFORM
from vivero_dev.probing import until


@dataclass(frozen=True, slots=True)
class Account:
    """A ServiceAccount, and the kinds that it may list and watch in all namespaces."""

    name: str
    resources: tuple[str, ...]


PROMETHEUS: Final = Account("vivero-prometheus", ("pods",))
LOGS: Final = Account("vivero-logs", ("pods", "nodes", "namespaces"))
TOKEN_SECONDS: Final = 30.0
_GROUP: Final = "rbac.authorization.k8s.io"


def account_objects(account: Account) -> list[Object]:
    """ServiceAccount, rights, and a token that lasts as long as the account."""
    name = account.name
    here = {"name": name, "namespace": PLATFORM}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": here, "automountServiceAccountToken": False},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": here | {"annotations": {"kubernetes.io/service-account.name": name}},
            "type": "kubernetes.io/service-account-token",
        },
        {
            "apiVersion": f"{_GROUP}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": [{"apiGroups": [""], "resources": list(account.resources), "verbs": ["get", "list", "watch"]}],
        },
        {
            "apiVersion": f"{_GROUP}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": _GROUP, "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", **here}],
        },
    ]


def ensure_token(kubectl: Kubectl, account: Account) -> str:
    """Make the account, and wait until the cluster has signed its token."""
    kubectl.apply(account_objects(account))
    until(f"account {account.name}", lambda: None if _token(kubectl, account) else "no token yet", TOKEN_SECONDS)
    return _token(kubectl, account)


def _token(kubectl: Kubectl, account: Account) -> str:
    secret = kubectl.get("secret", account.name, PLATFORM) or {}
    return base64.b64decode(secret.get("data", {}).get("token", "")).decode()
