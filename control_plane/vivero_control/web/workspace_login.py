"""The public login page: it leads to one's own workspace, by its address or by a mail that names it."""

from typing import Any, Final

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK, HTTP_303_SEE_OTHER
from msgspec import Struct
from vivero_core.model.naming import slug_problem
from vivero_web.bodies import read_form_as
from vivero_web.errors import InvalidInputError, TooManyRequestsError, UnavailableError, WebError
from vivero_web.request_context import caller_of

from vivero_control.domain.tenants.finder import WorkspaceFinder
from vivero_control.settings import Settings
from vivero_control.web.site import form_page, workspace_domain

_LOGIN: Final = "/login"
_ADDRESS: Final = "/login/address"
_BY_MAIL: Final = "/login/workspaces"
_FORM_ERRORS: Final = (InvalidInputError, TooManyRequestsError, UnavailableError)


class MailForm(Struct, kw_only=True):
    """The field as typed."""

    email: str = ""


def typed_slug(typed: str, domain: str) -> str:
    """The first label of a workspace's address, whether it was typed alone, as a host or as a URL."""
    host = typed.strip().lower().removeprefix("https://").removeprefix("http://").partition("/")[0]
    return host.removesuffix(f".{domain}").removesuffix(f".{domain.partition(':')[0]}")


def _page(
    settings: Settings, error: WebError | None = None, *, slug: str = "", email: str = "", asked: bool = False
) -> Template:
    return form_page(
        "login",
        settings,
        error,
        domain=workspace_domain(settings),
        slug=slug,
        email=email,
        asked=asked,
    )


class WorkspaceLoginController(Controller):
    """Where one's workspace is."""

    include_in_schema = False

    @get(_LOGIN, sync_to_thread=False)
    def form(self, settings: NamedDependency[Settings]) -> Template:
        return _page(settings)

    @get(_ADDRESS, sync_to_thread=False)
    def to_address(self, request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Redirect | Template:
        """To the workspace's own login; whether there is one is for its address to say."""
        typed = request.query_params.get("slug", "")
        slug = typed_slug(typed, workspace_domain(settings))
        if problem := slug_problem(slug):
            return _page(settings, InvalidInputError.of("slug", problem), slug=typed)
        return Redirect(f"{settings.tenant_url(slug)}/login", status_code=HTTP_303_SEE_OTHER)

    @post(_BY_MAIL, status_code=HTTP_200_OK)
    async def by_mail(
        self,
        request: Request[Any, Any, Any],
        settings: NamedDependency[Settings],
        workspace_finder: NamedDependency[WorkspaceFinder],
    ) -> Template:
        email = (await read_form_as(request, MailForm)).email.strip()
        try:
            await workspace_finder.ask(email, caller_of(request.scope))
        except _FORM_ERRORS as error:
            return _page(settings, error, email=email)
        return _page(settings, email=email, asked=True)
