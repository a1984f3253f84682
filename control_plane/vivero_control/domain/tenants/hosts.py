"""What a workspace's host name stands for, when a request for it arrives at the control plane.

That happens when the workspace has no route of its own: suspended, not yet
ready, or not there at all.
"""

from vivero_core.model.tenant import Tenant

from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.domain.tenants.schemas import HostState, HostStatus
from vivero_control.errors import UnavailableError


class HostService:
    """Answers from memory."""

    def __init__(self, directory: TenantDirectory, domain: str) -> None:
        self._directory = directory
        self._suffix = f".{domain}"
        self._domain = domain

    def is_own(self, host: str) -> bool:
        """Whether `host` is the control plane's own, not a workspace's."""
        return host == self._domain

    def status(self, host: str) -> HostStatus:
        """`host`: lower case, without a port.

        Raises:
            UnavailableError: just started: nothing is known about any host yet.
        """
        tenant = self._tenant(host)
        if tenant is not None:
            return _status(host, tenant)
        if not self._directory.synced:
            raise UnavailableError
        return HostStatus(host=host, state=HostState.UNKNOWN)

    def _tenant(self, host: str) -> Tenant | None:
        if host.endswith(self._suffix):
            return self._directory.by_slug(host.removesuffix(self._suffix))
        return self._directory.by_host(host)


def _status(host: str, tenant: Tenant) -> HostStatus:
    suspended = tenant.spec.suspended
    if tenant.metadata.deletion_timestamp is not None:
        return HostStatus(host=host, state=HostState.UNKNOWN)
    if suspended is None:
        return HostStatus(host=host, state=HostState.STARTING, display_name=tenant.spec.display_name)
    return HostStatus(
        host=host,
        state=HostState.SUSPENDED,
        display_name=tenant.spec.display_name,
        reason=suspended.reason,
        message=suspended.message,
    )
