"""For staff who cannot log in: asking for a link by mail, and choosing a password by one or by an invitation."""

from typing import Any, Final

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK, HTTP_303_SEE_OTHER
from msgspec import Struct
from vivero_web.bodies import read_form_as
from vivero_web.doors import SECRETS, Counted
from vivero_web.errors import InvalidInputError, TooManyRequestsError, WebError
from vivero_web.links import PAGE, ChosenPassword
from vivero_web.request_context import caller_of

from vivero_control.domain.staff.resets import StaffResets
from vivero_control.settings import Settings
from vivero_control.web.staff_shell import LOGIN, PASSWORD_SET

FORGOTTEN: Final = "/staff/forgotten-password"
_FORM_ERRORS: Final = (InvalidInputError, TooManyRequestsError)


class AddressForm(Struct, kw_only=True):
    """The form's field as typed."""

    email: str = ""


class PasswordForm(Struct, kw_only=True):
    """The form's fields as typed."""

    code: str = ""
    password: str = ""

    def __repr__(self) -> str:
        """Without either: a repr ends in logs."""
        return "PasswordForm(…)"


def _page(name: str, error: WebError | None = None, **context: object) -> Template:
    errors = {one.field: one.message for one in error.errors} if error else {}
    problem = error.detail if error and not errors else ""
    return Template(
        f"pages/{name}.html.j2",
        context={"problem": problem, "errors": errors, **context},
        status_code=error.status if error else HTTP_200_OK,
        headers=error.headers if error else {},
    )


class RecoveryController(Controller):
    """The way back, and in."""

    include_in_schema = False

    @get(FORGOTTEN, sync_to_thread=False)
    def forgotten_page(self) -> Template:
        return _page("forgotten", email="", asked=False)

    @post(FORGOTTEN, status_code=HTTP_200_OK)
    async def forgotten(
        self,
        request: Request[Any, Any, Any],
        resets: NamedDependency[StaffResets],
    ) -> Template:
        email = (await read_form_as(request, AddressForm)).email.strip()
        try:
            await resets.ask(email, caller_of(request.scope))
        except _FORM_ERRORS as error:
            return _page("forgotten", error, email=email, asked=False)
        return _page("forgotten", email=email, asked=True)

    @get(PAGE, sync_to_thread=False)
    def choose_page(self, settings: NamedDependency[Settings]) -> Template:
        return _page("set_password", code="", host=settings.domain)

    @post(PAGE, status_code=HTTP_303_SEE_OTHER, guards=[Counted(SECRETS)])
    async def choose(
        self,
        request: Request[Any, Any, Any],
        resets: NamedDependency[StaffResets],
        settings: NamedDependency[Settings],
    ) -> Redirect | Template:
        form = await read_form_as(request, PasswordForm)
        try:
            await resets.choose(ChosenPassword(form.code, form.password), caller_of(request.scope))
        except _FORM_ERRORS as error:
            return _page("set_password", error, code=form.code, host=settings.domain)
        return Redirect(f"{LOGIN}?{PASSWORD_SET}", status_code=HTTP_303_SEE_OTHER)
