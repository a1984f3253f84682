"""Confirming the address of a signup: the page where the mailed link leads, and the one that asks for another link.

A GET confirms nothing, because mail servers follow links before people do: a person presses the button.
"""

from typing import Any, Final

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.response import Template
from litestar.status_codes import HTTP_200_OK
from msgspec import UNSET, Struct
from vivero_web.bodies import read_form_as
from vivero_web.errors import InvalidInputError, LinkSpentError, TooManyRequestsError, WebError
from vivero_web.rate_limit import SECRETS, Counted
from vivero_web.request_context import caller_of

from vivero_control.domain.signups.confirmations import Confirmations
from vivero_control.domain.signups.links import PAGE
from vivero_control.domain.signups.policies import TriedBeforeError
from vivero_control.settings import Settings
from vivero_control.web.account import LinkForm
from vivero_control.web.site import form_page, workspace_domain
from vivero_control.web.workspace_login import typed_slug

_ASK_ERRORS: Final = (InvalidInputError, TooManyRequestsError)
_LINK_ERRORS: Final = (LinkSpentError, TriedBeforeError)


class SlugForm(Struct, kw_only=True):
    """The form's field as typed."""

    slug: str = ""


def _page(  # noqa: PLR0913  what the page shows
    settings: Settings,
    error: WebError | None = None,
    *,
    code: str = "",
    url: str = "",
    join_code: str = "",
    asked: bool = False,
) -> Template:
    return form_page(
        "confirm",
        settings,
        error,
        code=code,
        url=url,
        join_code=join_code,
        asked=asked,
    )


def _ask_page(settings: Settings, error: WebError | None = None, *, slug: str = "", asked: bool = False) -> Template:
    return form_page(
        "confirm_again",
        settings,
        error,
        domain=workspace_domain(settings),
        slug=slug,
        asked=asked,
    )


class ConfirmController(Controller):
    """For owners whose address is not confirmed yet."""

    path = PAGE
    include_in_schema = False

    @get("/", sync_to_thread=False)
    def page(self, settings: NamedDependency[Settings]) -> Template:
        return _page(settings)

    @post("/", status_code=HTTP_200_OK, guards=[Counted(SECRETS)])
    async def confirm(
        self,
        request: Request[Any, Any, Any],
        confirmations: NamedDependency[Confirmations],
        settings: NamedDependency[Settings],
    ) -> Template:
        code = (await read_form_as(request, LinkForm)).code
        try:
            confirmed = await confirmations.confirm(code)
        except _LINK_ERRORS as error:
            return _page(settings, error, code=code)
        join_code = "" if confirmed.join_code is UNSET else confirmed.join_code
        return _page(settings, url=confirmed.url, join_code=join_code)

    @post("/join", status_code=HTTP_200_OK, guards=[Counted(SECRETS)])
    async def join(
        self,
        request: Request[Any, Any, Any],
        confirmations: NamedDependency[Confirmations],
        settings: NamedDependency[Settings],
    ) -> Template:
        code = (await read_form_as(request, LinkForm)).code
        try:
            await confirmations.ask_to_join(code)
        except LinkSpentError as error:
            return _page(settings, error, code=code)
        return _page(settings, asked=True)

    @get("/again", sync_to_thread=False)
    def ask_page(self, request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Template:
        return _ask_page(settings, slug=request.query_params.get("workspace", "")[:63])

    @post("/again", status_code=HTTP_200_OK)
    async def ask(
        self,
        request: Request[Any, Any, Any],
        confirmations: NamedDependency[Confirmations],
        settings: NamedDependency[Settings],
    ) -> Template:
        typed = (await read_form_as(request, SlugForm)).slug
        slug = typed_slug(typed, workspace_domain(settings))
        try:
            await confirmations.ask(slug, caller_of(request.scope))
        except _ASK_ERRORS as error:
            return _ask_page(settings, error, slug=typed)
        return _ask_page(settings, slug=slug, asked=True)
