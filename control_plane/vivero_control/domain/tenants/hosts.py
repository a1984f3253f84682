"""Workspaces' hosts at the control plane: what one stands for, and the dispatch by the Host header.

A request for one arrives here when the workspace has no route of its own (suspended, or it does not exist), and when it
has one but no pod of it is ready: then the operator has the route lead here (ADR 0034).

Such a request never reaches the control plane's own routes, on any path or method, `/healthz` and static files included:
a monitor of a workspace must not hear from us that all is well. This is also the list of allowed hosts: only the control
plane's own name leads to its routes. kubelet and Prometheus, which ask by address, have a port of their own.
"""

from collections.abc import Callable
from typing import Any, Final

from litestar import Request, Response
from litestar.datastructures import Headers
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec import structs
from vivero_core.model.reading import Unreadable
from vivero_core.model.tenant import Tenant
from vivero_web.errors import NotFoundError, WebError
from vivero_web.problem import Answers, wants_page

from vivero_control.domain.tenants.directory import TenantDirectory
from vivero_control.domain.tenants.policies import LIFTED_BY_PAYMENT
from vivero_control.domain.tenants.schemas import HostState, HostStatus

HostPage = Callable[[HostStatus, bool], Response[Any]]

STARTING_SECONDS: Final = 3
"""After so long it is worth asking again for a workspace that is starting."""


class NoWorkspaceError(NotFoundError):
    """No workspace has this host name."""

    slug = "no-workspace"
    title = "No workspace"


class NotRunningError(WebError):
    """The workspace of this host name is there and does not run."""

    status = 503
    slug = "workspace-not-available"
    title = "Workspace not available"

    def __init__(self, detail: str, retry_after: int | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)} if retry_after else None)


class HostService:
    """Answers from memory."""

    def __init__(self, directory: TenantDirectory, domain: str, account_of: Callable[[str], str] | None = None) -> None:
        """`account_of` says where the owner of the workspace of a slug pays; None where nothing is sold."""
        self._directory = directory
        self._account_of = account_of
        self._suffix = f".{domain}"
        self._domain = domain

    def is_own(self, host: str) -> bool:
        """Whether `host` is the control plane's own, not a workspace's."""
        return host == self._domain

    def status(self, host: str) -> HostStatus:
        """`host`: lower case, without a port."""
        tenant = self._tenant(host)
        if isinstance(tenant, Unreadable):
            return HostStatus(host=host, state=HostState.STARTING)
        if tenant is not None:
            return self._with_account(_status(host, tenant), tenant)
        return HostStatus(host=host, state=HostState.UNKNOWN if self._directory.synced else HostState.UNSURE)

    def _with_account(self, status: HostStatus, tenant: Tenant) -> HostStatus:
        if self._account_of is None or tenant.spec.slug is None or status.reason not in LIFTED_BY_PAYMENT:
            return status
        return structs.replace(status, account_url=self._account_of(tenant.spec.slug))

    def _tenant(self, host: str) -> Tenant | Unreadable | None:
        if host.endswith(self._suffix):
            slug = host.removesuffix(self._suffix)
            return self._directory.by_slug(slug) or self._directory.unreadable_at(slug=slug)
        return self._directory.by_host(host) or self._directory.unreadable_at(host=host)


def _status(host: str, tenant: Tenant) -> HostStatus:
    suspended = tenant.spec.suspended
    if tenant.metadata.deletion_timestamp is not None:
        return HostStatus(host=host, state=HostState.UNKNOWN)
    if suspended is None:
        state = HostState.STARTING if tenant.status.proven_at is None else HostState.AWAY
        return HostStatus(host=host, state=state, display_name=tenant.spec.display_name)
    return HostStatus(
        host=host,
        state=HostState.SUSPENDED,
        display_name=tenant.spec.display_name,
        reason=suspended.reason,
        message=suspended.message,
    )


def as_error(host: HostStatus) -> WebError:
    """What a program is told at that host: 404 when there is no workspace, 503 while it does not run."""
    match host.state:
        case HostState.STARTING:
            return NotRunningError("This workspace is starting.", STARTING_SECONDS)
        case HostState.AWAY:
            return NotRunningError(
                "This workspace does not answer right now. It is being started again.", STARTING_SECONDS
            )
        case HostState.SUSPENDED:
            return NotRunningError(f"This workspace is suspended ({host.reason}). {host.message}".rstrip())
        case HostState.UNSURE:
            return NotRunningError("We have just started and know no workspaces yet.", STARTING_SECONDS)
        case HostState.UNKNOWN:
            at = host.host if host.host.isprintable() and host.host else "this address"
            return NoWorkspaceError(f"There is no workspace at {at}.")


_READS: Final = frozenset({"GET", "HEAD"})


class HostDispatch:
    """Looks at the Host header before any route does."""

    def __init__(self, own: ASGIApp, foreign: ASGIApp, is_own: Callable[[str], bool]) -> None:
        self._own = own
        self._foreign = foreign
        self._is_own = is_own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        chosen = self._own if self._is_own(host_of(scope)) else self._foreign
        await chosen(scope, receive, send)


class ForeignHosts:
    """Says why the workspace of a host does not answer by itself: a page for browsers, a problem for programs."""

    def __init__(self, hosts: HostService, answers: Answers, page: HostPage | None) -> None:
        self._hosts = hosts
        self._answers = answers
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = self._hosts.status(host_of(scope))
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        if self._page is not None and wants_page(request):
            page = self._page(status, request.method not in _READS)
            await self._answers.send(page, scope, receive, send)
        else:
            await self._answers.error(as_error(status), scope, receive, send)


def host_of(scope: Scope) -> str:
    return host_name(Headers.from_scope(scope).get("host", ""))


def host_name(header: str) -> str:
    """Lower case, without port and final dot."""
    return header.rsplit(":", 1)[0].lower().rstrip(".") if not header.endswith("]") else header.lower()
