"""The account's page about support access: granting it, and ending it."""

from typing import Any, Final, cast, get_args

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from msgspec import Struct
from vivero_web.bodies import read_form_as
from vivero_web.errors import InvalidInputError, WebError
from vivero_web.text import whole_number

from vivero_control.domain.support.service import HOURS, Role, SupportAccess
from vivero_control.web.account_shell import BEHIND_THE_LINK, REFUSALS, Portal
from vivero_control.web.site import ACCOUNT

SUPPORT: Final = f"{ACCOUNT}/support"
ROLES: Final[dict[Role, tuple[str, str]]] = {
    "viewer": ("As a viewer", "Collections, records, views, files and reports"),
    "admin": ("As an administrator", "Also users, settings and the audit log"),
}
_DONE: Final = {
    "granted": "Support can enter the workspace now. You get a mail each time.",
    "ended": "The access has ended. Who was in the workspace is out.",
}


class GrantForm(Struct, kw_only=True):
    """The form's fields as typed."""

    hours: str = "4"
    role: str = "viewer"

    def chosen(self) -> tuple[int, Role]:
        """Raises InvalidInputError, naming `role`."""
        if self.role not in get_args(Role):
            raise InvalidInputError.of("role", "Choose what support may see.")
        return whole_number(self.hours) or 0, cast("Role", self.role)


async def _page(
    portal: Portal, support: SupportAccess, form: GrantForm, error: WebError | None = None, *, done: str = ""
) -> Template:
    return portal.page(
        "account_support",
        "/support",
        error,
        grant=await support.current(portal.visit.tenant.id),
        form=form,
        hours=[(str(one), "One hour" if one == 1 else f"{one} hours") for one in HOURS],
        roles=ROLES,
        done=_DONE.get(done, ""),
    )


class AccountSupportController(Controller):
    """Whether support may look at the workspace."""

    path = SUPPORT
    include_in_schema = False
    dependencies = BEHIND_THE_LINK

    @get("/")
    async def page(
        self,
        request: Request[Any, Any, Any],
        portal: NamedDependency[Portal],
        support_access: NamedDependency[SupportAccess],
    ) -> Template:
        return await _page(portal, support_access, GrantForm(), done=request.query_params.get("done", ""))

    @post("/grant", status_code=HTTP_303_SEE_OTHER)
    async def grant(
        self,
        request: Request[Any, Any, Any],
        portal: NamedDependency[Portal],
        support_access: NamedDependency[SupportAccess],
    ) -> Redirect | Template:
        portal.visit.require_owner()
        form = await read_form_as(request, GrantForm)
        try:
            await support_access.grant(portal.visit, *form.chosen())
        except REFUSALS as error:
            return await _page(portal, support_access, form, error)
        return Redirect(f"{SUPPORT}?done=granted", status_code=HTTP_303_SEE_OTHER)

    @post("/end", status_code=HTTP_303_SEE_OTHER)
    async def end(self, portal: NamedDependency[Portal], support_access: NamedDependency[SupportAccess]) -> Redirect:
        await support_access.end(portal.visit)
        return Redirect(f"{SUPPORT}?done=ended", status_code=HTTP_303_SEE_OTHER)
