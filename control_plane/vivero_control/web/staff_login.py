"""The staff login page."""

from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from msgspec import Struct
from vivero_web.bodies import read_form_as
from vivero_web.doors import LOGOUTS, Counted
from vivero_web.errors import TooManyRequestsError, WebError
from vivero_web.request_context import caller_of

from vivero_control.domain.staff.errors import WrongLoginError
from vivero_control.domain.staff.schemas import Login
from vivero_control.domain.staff.service import StaffService
from vivero_control.domain.staff.sessions import SESSION_COOKIE, StaffSessions
from vivero_control.web.staff_shell import HOME, LOGIN, PASSWORD_SET, safe_next


class LoginForm(Struct, kw_only=True):
    """The form's fields as typed."""

    email: str = ""
    password: str = ""
    next: str = ""

    def __repr__(self) -> str:
        """Without the password: a repr ends in logs."""
        return "LoginForm(…)"


def _page(form: LoginForm, error: WebError | None = None, *, password_set: bool = False) -> Template:
    context = {
        "email": form.email,
        "next": form.next,
        "problem": error.detail if error else "",
        "password_set": password_set,
    }
    status = error.status if error else 200
    headers = error.headers if error else {}
    return Template("pages/staff_login.html.j2", context=context, status_code=status, headers=headers)


class StaffLoginController(Controller):
    """In and out."""

    path = "/staff"
    include_in_schema = False

    @get("/", sync_to_thread=False)
    def home(self) -> Redirect:
        return Redirect(HOME, status_code=HTTP_303_SEE_OTHER)

    @get("/login", name="staff-login", sync_to_thread=False)
    def form(self, request: Request[Any, Any, Any]) -> Template:
        return _page(
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
        except (WrongLoginError, TooManyRequestsError) as error:
            return _page(form, error)
        cookie = await sessions.open(member)
        return Redirect(safe_next(form.next), status_code=HTTP_303_SEE_OTHER, cookies=[cookie])

    @post("/logout", status_code=HTTP_303_SEE_OTHER, guards=[Counted(LOGOUTS)])
    async def logout(self, request: Request[Any, Any, Any], sessions: NamedDependency[StaffSessions]) -> Redirect:
        cookie = await sessions.close(request.cookies.get(SESSION_COOKIE))
        return Redirect(LOGIN, status_code=HTTP_303_SEE_OTHER, cookies=[cookie])
