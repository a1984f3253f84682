"""The page where somebody of the staff sets up their own two-step login."""

from typing import Any, Final

from litestar import Controller, Request, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency, Provide
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK, HTTP_303_SEE_OTHER
from msgspec import Struct
from vivero_web import qr
from vivero_web.bodies import read_form_as
from vivero_web.errors import ConflictError, InvalidInputError, TooManyRequestsError, WebError
from vivero_web.request_context import caller_of
from vivero_web.second_factors import Enrolment

from vivero_control.domain.staff.guards import SETS_UP, session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.staff.second_factors import StaffSecondFactors
from vivero_control.domain.staff.sessions import StaffSessions
from vivero_control.web.staff_shell import SECURITY, shell

FACTOR: Final = f"{SECURITY}/second-factor"
_FORM_ERRORS: Final = (InvalidInputError, ConflictError, TooManyRequestsError)


class ProofForm(Struct, kw_only=True):
    """The forms' fields as typed."""

    current_password: str = ""
    code: str = ""

    def __repr__(self) -> str:
        """Without them: a repr ends in logs."""
        return "ProofForm(…)"


def _page(
    name: str, member: StaffView, error: WebError | None = None, cookies: list[Cookie] | None = None, **context: object
) -> Template:
    errors = error.by_field if error else {}
    return Template(
        f"pages/{name}.html.j2",
        context={
            "shell": shell(member, SECURITY),
            "problem": error.detail if error and not errors else "",
            "errors": errors,
            "action": FACTOR,
            **context,
        },
        status_code=error.status if error else HTTP_200_OK,
        headers=error.headers if error else {},
        cookies=cookies or [],
    )


def _enrolment_page(member: StaffView, enrolment: Enrolment, error: WebError | None = None) -> Template:
    side, path = qr.svg_path(enrolment.uri)
    return _page("staff_second_factor", member, error, enrolment=enrolment, side=side, path=path)


def _codes_page(member: StaffView, codes: list[str], cookies: list[Cookie] | None = None) -> Template:
    return _page("staff_recovery_codes", member, cookies=cookies, codes=codes)


async def _security_page(
    member: StaffView,
    second_factors: StaffSecondFactors,
    error: WebError | None = None,
    *,
    form: str = "",
    ended: bool = False,
) -> Template:
    """`form`: the one that `error` belongs to."""
    factor = await second_factors.get(member)
    return _page(
        "staff_security", member, error, factor=factor, required=second_factors.required, form=form, ended=ended
    )


class StaffSecurityController(Controller):
    """Behind the staff login, of everybody for themselves."""

    path = SECURITY
    include_in_schema = False
    opt = SETS_UP
    dependencies = {"member": Provide(session_staff)}  # noqa: RUF012  Litestar's own declaration

    @get("/")
    async def page(
        self,
        request: Request[Any, Any, Any],
        member: NamedDependency[StaffView],
        second_factors: NamedDependency[StaffSecondFactors],
    ) -> Template:
        return await _security_page(member, second_factors, ended="ended" in request.query_params)

    @post("/second-factor", status_code=HTTP_200_OK)
    async def begin(
        self,
        request: Request[Any, Any, Any],
        member: NamedDependency[StaffView],
        second_factors: NamedDependency[StaffSecondFactors],
    ) -> Template:
        """Answers with the secret: no address leads to it."""
        form = await read_form_as(request, ProofForm)
        try:
            begun = await second_factors.begin(member, form.current_password, caller_of(request.scope))
        except _FORM_ERRORS as error:
            return await _security_page(member, second_factors, error, form="begin")
        return _enrolment_page(member, begun)

    @post("/second-factor/confirm", status_code=HTTP_200_OK)
    async def confirm(
        self,
        request: Request[Any, Any, Any],
        member: NamedDependency[StaffView],
        second_factors: NamedDependency[StaffSecondFactors],
        sessions: NamedDependency[StaffSessions],
    ) -> Template:
        """The session of before ends with all others; the browser gets another."""
        form = await read_form_as(request, ProofForm)
        try:
            changed = await second_factors.confirm(member, form.code)
        except (InvalidInputError, TooManyRequestsError) as error:
            return _enrolment_page(member, await second_factors.pending(member), error)
        return _codes_page(changed.member, changed.recovery_codes, [await sessions.open(changed.member)])

    @post("/second-factor/recovery-codes", status_code=HTTP_200_OK)
    async def renew_codes(
        self,
        request: Request[Any, Any, Any],
        member: NamedDependency[StaffView],
        second_factors: NamedDependency[StaffSecondFactors],
    ) -> Template:
        form = await read_form_as(request, ProofForm)
        try:
            codes = await second_factors.renew_codes(member, form.current_password, caller_of(request.scope))
        except _FORM_ERRORS as error:
            return await _security_page(member, second_factors, error, form="renew")
        return _codes_page(member, codes)

    @post("/second-factor/off", status_code=HTTP_303_SEE_OTHER)
    async def end(
        self,
        request: Request[Any, Any, Any],
        member: NamedDependency[StaffView],
        second_factors: NamedDependency[StaffSecondFactors],
        sessions: NamedDependency[StaffSessions],
    ) -> Redirect | Template:
        """As `confirm`."""
        form = await read_form_as(request, ProofForm)
        try:
            left = await second_factors.end(member, form.current_password, caller_of(request.scope))
        except _FORM_ERRORS as error:
            return await _security_page(member, second_factors, error, form="end")
        cookie = await sessions.open(left)
        return Redirect(f"{SECURITY}?ended", status_code=HTTP_303_SEE_OTHER, cookies=[cookie])
