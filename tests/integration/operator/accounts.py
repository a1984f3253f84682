"""The platform's service accounts, and how a test becomes one of them."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml
from vivero_core.backends.kube.client import KubeClient
from vivero_core.model.constants import PLATFORM_NAMESPACE

_TOKEN_SECONDS: Final = 4 * 3600


@dataclass(frozen=True)
class Account:
    """A service account."""

    name: str
    namespace: str

    @property
    def user(self) -> str:
        return f"system:serviceaccount:{self.namespace}:{self.name}"

    @property
    def groups(self) -> list[str]:
        return ["system:serviceaccounts", f"system:serviceaccounts:{self.namespace}", "system:authenticated"]


OPERATOR: Final = Account("vivero-operator", PLATFORM_NAMESPACE)
CONTROL_PLANE: Final = Account("vivero-control-plane", PLATFORM_NAMESPACE)


async def log_in(kube: KubeClient, account: Account, administrator: Path, folder: Path) -> Path:
    """A kubeconfig with the rights that the charts give the account, and no more; `administrator` says where."""
    path = f"/api/v1/namespaces/{account.namespace}/serviceaccounts/{account.name}/token"
    order = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": _TOKEN_SECONDS},
    }
    issued = await kube._request("POST", path, order)  # noqa: SLF001  no one but a test asks for a token
    return await asyncio.to_thread(_write, issued["status"]["token"], administrator, folder)


def _write(token: str, administrator: Path, folder: Path) -> Path:
    secret, found = folder / "token", folder / "kubeconfig"
    secret.touch(mode=0o600)
    secret.write_text(token)
    document = yaml.safe_load(administrator.read_text())
    for user in document["users"]:
        user["user"] = {"tokenFile": str(secret)}
    found.write_text(yaml.safe_dump(document))
    return found
