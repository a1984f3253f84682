"""Login pages of staff, and the way back for who cannot log in: a link by mail, or an invitation."""

from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK, HTTP_303_SEE_OTHER
from msgspec import Struct
from vivero_web.bodies import read_form_as
from vivero_web.challenges import ChallengeEndedError
from vivero_web.errors import InvalidInputError, TooManyRequestsError, WebError
from vivero_web.links import PAGE, ChosenPassword
from vivero_web.rate_limit import LOGOUTS, SECRETS, Counted
from vivero_web.request_context import caller_of
from vivero_web.second_factors import CODE_MAX, CodeNeededError, WrongCodeError

from vivero_control.domain.staff.errors import WrongLoginError
from vivero_control.domain.staff.resets import StaffResets
from vivero_control.domain.staff.schemas import Login, StaffView
from vivero_control.domain.staff.service import StaffService
from vivero_control.domain.staff.sessions import SESSION_COOKIE, StaffSessions
from vivero_control.settings import Settings
from vivero_control.web.staff_shell import HOME, LOGIN, PASSWORD_SET, safe_next


class LoginForm(Struct, kw_only=True):
    """The form's fields as typed."""

    email: str = ""
    password: str = ""
    next: str = ""

    def __repr__(self) -> str:
        """Without the password: a repr ends in logs."""
        return "LoginForm(…)"


class CodeForm(Struct, kw_only=True):
    """The second form's fields as typed."""

    challenge: str = ""
    code: str = ""
    next: str = ""

    def __repr__(self) -> str:
        """Without the code and what opens with it: a repr ends in logs."""
        return "CodeForm(…)"


def _page(name: str, error: WebError | None = None, **context: object) -> Template:
    errors = error.by_field if error else {}
    problem = error.detail if error and not errors else ""
    return Template(
        f"pages/{name}.html.j2",
        context={"problem": problem, "errors": errors, **context},
        status_code=error.status if error else HTTP_200_OK,
        headers=error.headers if error else {},
    )


def _login_page(form: LoginForm, error: WebError | None = None, *, password_set: bool = False) -> Template:
    return _page("staff_login", error, email=form.email, next=form.next, password_set=password_set)


def _code_page(form: CodeForm, error: WebError | None = None) -> Template:
    return _page("staff_code", error, challenge=form.challenge, next=form.next)


async def _logged_in(sessions: StaffSessions, member: StaffView, address: str) -> Redirect:
    cookie = await sessions.open(member)
    return Redirect(safe_next(address), status_code=HTTP_303_SEE_OTHER, cookies=[cookie])


class StaffLoginController(Controller):
    """In and out."""

    path = "/staff"
    include_in_schema = False

    @get("/", sync_to_thread=False)
    def home(self) -> Redirect:
        return Redirect(HOME, status_code=HTTP_303_SEE_OTHER)

    @get("/login", name="staff-login", sync_to_thread=False)
    def form(self, request: Request[Any, Any, Any]) -> Template:
        return _login_page(
            LoginForm(next=request.query_params.get("next", "")), password_set=request.url.query == PASSWORD_SET
        )

    @post("/login", status_code=HTTP_303_SEE_OTHER)
    async def login(
        self,
        request: Request[Any, Any, Any],
        staff: NamedDependency[StaffService],
        sessions: NamedDependency[StaffSessions],
    ) -> Response[Any]:
        form = await read_form_as(request, LoginForm)
        try:
            member = await staff.login(
                Login(email=form.email[:254], password=form.password[:1024]), caller_of(request.scope)
            )
        except CodeNeededError as error:
            return _code_page(CodeForm(challenge=error.challenge, next=form.next))
        except (WrongLoginError, TooManyRequestsError) as error:
            return _login_page(form, error)
        return await _logged_in(sessions, member, form.next)

    @post("/login/code", status_code=HTTP_303_SEE_OTHER)
    async def login_with_code(
        self,
        request: Request[Any, Any, Any],
        staff: NamedDependency[StaffService],
        sessions: NamedDependency[StaffSessions],
    ) -> Response[Any]:
        """The second step of a login, for who has two-step login."""
        form = await read_form_as(request, CodeForm)
        try:
            member = await staff.finish(form.challenge, form.code[:CODE_MAX])
        except (WrongCodeError, TooManyRequestsError) as error:
            return _code_page(form, error)
        except ChallengeEndedError as error:
            return _login_page(LoginForm(next=form.next), error)
        return await _logged_in(sessions, member, form.next)

    @post("/logout", status_code=HTTP_303_SEE_OTHER, guards=[Counted(LOGOUTS)])
    async def logout(self, request: Request[Any, Any, Any], sessions: NamedDependency[StaffSessions]) -> Redirect:
        cookie = await sessions.close(request.cookies.get(SESSION_COOKIE))
        return Redirect(LOGIN, status_code=HTTP_303_SEE_OTHER, cookies=[cookie])


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
