"""Accounts in the cluster of what tests run to watch it."""

from e2e.cluster import Kubectl
from vivero_dev.observability.account import Account, account_objects
from vivero_dev.provider import Provider


def forget(kubectl: Kubectl, account: Account, provider: Provider) -> None:
    """Delete an account, unless the platform is watched by programs that have it as well."""
    if provider.observability():
        return
    kinds = [f"{one['kind'].lower()}/{one['metadata']['name']}" for one in account_objects(account)]
    kubectl("delete", "--namespace=vivero-system", "--ignore-not-found", *kinds)
