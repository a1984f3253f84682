"""The page on which a workspace gets names of the customer's own: what is to be set in DNS, and where each name stands."""

from typing import Any, Final
from urllib.parse import urlsplit

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from msgspec import Struct
from vivero_core.model.naming import HOST_MAX_LENGTH
from vivero_core.model.own_hosts import HOSTS_MAX
from vivero_web.bodies import read_form_as
from vivero_web.errors import InvalidInputError, WebError

from vivero_control.domain.accounts.backups import ASKED_FOR
from vivero_control.domain.tenants import own_hosts
from vivero_control.domain.tenants.schemas import OwnHostOrder
from vivero_control.domain.tenants.service import TenantService
from vivero_control.web.account_shell import BEHIND_THE_LINK, REFUSALS, Portal
from vivero_control.web.site import ACCOUNT

DOMAINS: Final = f"{ACCOUNT}/domains"
_DONE: Final = {
    "added": "The name is in the list. Set the two records, and it is looked for within a minute.",
    "removed": "The name is out of the list. The workspace stops to answer there within a minute.",
}


class HostForm(Struct, kw_only=True):
    """The form's field as typed."""

    host: str = ""


def _page(portal: Portal, error: WebError | None = None, *, typed: str = "", done: str = "") -> Template:
    tenant = portal.visit.tenant
    own = own_hosts.of_tenant(tenant)
    return portal.page(
        "account_domains",
        "/domains",
        error,
        own=own,
        # Looked at again by itself while something is awaited.
        awaited=any(not (one.ready or one.refused) for one in own),
        target=urlsplit(portal.settings.tenant_url(tenant.spec.slug or "")).hostname,
        full=len(own) >= HOSTS_MAX,
        most=HOSTS_MAX,
        typed=typed,
        host_max=HOST_MAX_LENGTH,
        done=_DONE.get(done, ""),
    )


class AccountDomainsController(Controller):
    """Names of a workspace besides the one that we gave it."""

    path = DOMAINS
    include_in_schema = False
    dependencies = BEHIND_THE_LINK

    @get("/", sync_to_thread=False)
    def page(self, request: Request[Any, Any, Any], portal: NamedDependency[Portal]) -> Template:
        return _page(portal, done=request.query_params.get("done", ""))

    @post("/", status_code=HTTP_303_SEE_OTHER)
    async def add(
        self, request: Request[Any, Any, Any], portal: NamedDependency[Portal], tenants: NamedDependency[TenantService]
    ) -> Redirect | Template:
        typed = (await read_form_as(request, HostForm)).host
        visit = portal.visit
        try:
            if not typed.strip():
                raise InvalidInputError.of("host", "Enter a host name, such as app.example.com.")
            await tenants.add_host(visit.tenant.name, OwnHostOrder(reason=ASKED_FOR, host=typed), visit.actor)
        except REFUSALS as error:
            return _page(portal, error, typed=typed)
        return Redirect(f"{DOMAINS}?done=added", status_code=HTTP_303_SEE_OTHER)

    @post("/remove", status_code=HTTP_303_SEE_OTHER)
    async def remove(
        self, request: Request[Any, Any, Any], portal: NamedDependency[Portal], tenants: NamedDependency[TenantService]
    ) -> Redirect | Template:
        host = (await read_form_as(request, HostForm)).host
        visit = portal.visit
        try:
            await tenants.remove_host(visit.tenant.name, OwnHostOrder(reason=ASKED_FOR, host=host), visit.actor)
        except REFUSALS as error:
            return _page(portal, error)
        return Redirect(f"{DOMAINS}?done=removed", status_code=HTTP_303_SEE_OTHER)
