"""Pages about the members of the staff, for admins: the list, an invitation, one member and the changes of them."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Final, cast, get_args
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK, HTTP_303_SEE_OTHER
from msgspec import Struct
from vivero_web.bodies import read_form_as
from vivero_web.errors import ConflictError, InvalidInputError, TooManyRequestsError, WebError

from vivero_control.domain.audit.service import AuditService
from vivero_control.domain.staff.guards import session_admin
from vivero_control.domain.staff.identity import staff_subject
from vivero_control.domain.staff.members import StaffMembers
from vivero_control.domain.staff.schemas import MemberChanges, NewMember, Role, StaffView
from vivero_control.web import presentation
from vivero_control.web.staff_shell import PEOPLE, shell

ROLES: Final[dict[Role, tuple[str, str]]] = {
    "admin": ("Admin", "Everything, and decides who is of the staff"),
    "support": ("Support", "Everything but backups, restores and who is of the staff"),
}
# What a page says after a change; the address carries the word, not the sentence.
DONE: Final = {
    "invited": "The invitation is on its way.",
    "role": "The role is changed.",
    "deactivated": "They are deactivated, and logged out everywhere.",
    "reactivated": "They are active again. A link to choose a new password is on its way.",
    "second-factor": "Their two-step login is off, and they are logged out everywhere. They are told by mail.",
    "withdrawn": "The invitation is withdrawn. Its link opens nothing any more.",
}
_FORM_ERRORS: Final = (InvalidInputError, ConflictError, TooManyRequestsError)


class MemberForm(Struct, kw_only=True):
    """The forms' fields as typed."""

    email: str = ""
    role: str = ""

    def chosen(self) -> Role:
        """The role.

        Raises:
            InvalidInputError: there is none of that name.
        """
        if self.role not in get_args(Role):
            raise InvalidInputError.of("role", "Choose a role.")
        return cast("Role", self.role)


def _page(name: str, member: StaffView, error: WebError | None = None, **context: object) -> Template:
    return Template(
        f"pages/{name}.html.j2",
        context={"shell": shell(member, PEOPLE), "roles": ROLES, **context},
        status_code=error.status if error else HTTP_200_OK,
        headers=error.headers if error else {},
    )


def _invite_page(member: StaffView, form: MemberForm, error: WebError | None = None) -> Template:
    errors = error.by_field if error else {}
    problem = errors.get("role", "") or (error.detail if error and not errors else "")
    return _page("person_new", member, error, form=form, errors=errors, problem=problem)


def _done(address: str, what: str) -> Redirect:
    return Redirect(f"{address}?done={what}", status_code=HTTP_303_SEE_OTHER)


def _said(request: Request[Any, Any, Any]) -> str:
    return DONE.get(request.query_params.get("done", ""), "")


@dataclass(frozen=True, slots=True)
class MemberPage:
    """The page of one person; Litestar makes it from the services it names."""

    members: NamedDependency[StaffMembers]
    audit: NamedDependency[AuditService]
    member: NamedDependency[StaffView]

    async def render(
        self, staff_id: UUID, error: WebError | None = None, *, role: str = "", done: str = ""
    ) -> Template:
        person = await self.members.get(staff_id)
        return _page(
            "person",
            self.member,
            error,
            person=person,
            mine=self.member.id == str(staff_id),
            role=role or person.role,
            history=presentation.history(await self.audit.history(staff_subject(staff_id))),
            problem=" ".join(one.message for one in error.errors) or error.detail if error else "",
            done=done,
        )

    async def apply(
        self, staff_id: UUID, change: Awaitable[object], what: str, address: str = ""
    ) -> Redirect | Template:
        """Redirect after the change, here or to another page; or show this page with the error."""
        try:
            await change
        except _FORM_ERRORS as error:
            return await self.render(staff_id, error)
        return _done(address or f"{PEOPLE}/{staff_id}", what)


class StaffMembersController(Controller):
    """Behind the staff login, for admins."""

    path = PEOPLE
    include_in_schema = False
    dependencies = {  # noqa: RUF012  Litestar's own declaration
        "member": Provide(session_admin),
        "shown": Provide(MemberPage, sync_to_thread=False),
    }

    @get("/", name="people")
    async def table(
        self,
        request: Request[Any, Any, Any],
        member: NamedDependency[StaffView],
        members: NamedDependency[StaffMembers],
    ) -> Template:
        everybody = await members.all()
        return _page("people", member, members=everybody, me=UUID(member.id), done=_said(request))

    @get("/new", sync_to_thread=False)
    def invite_page(self, member: NamedDependency[StaffView]) -> Template:
        return _invite_page(member, MemberForm(role="support"))

    @post("/new", status_code=HTTP_303_SEE_OTHER)
    async def invite(
        self,
        request: Request[Any, Any, Any],
        member: NamedDependency[StaffView],
        members: NamedDependency[StaffMembers],
    ) -> Redirect | Template:
        form = await read_form_as(request, MemberForm)
        try:
            await members.invite(member, NewMember(email=form.email, role=form.chosen()))
        except _FORM_ERRORS as error:
            return _invite_page(member, form, error)
        return _done(PEOPLE, "invited")

    @get("/{staff_id:uuid}")
    async def person(
        self, request: Request[Any, Any, Any], staff_id: FromPath[UUID], shown: NamedDependency[MemberPage]
    ) -> Template:
        return await shown.render(staff_id, done=_said(request))

    @post("/{staff_id:uuid}/role", status_code=HTTP_303_SEE_OTHER)
    async def change_role(
        self, request: Request[Any, Any, Any], staff_id: FromPath[UUID], shown: NamedDependency[MemberPage]
    ) -> Response[Any]:
        form = await read_form_as(request, MemberForm)
        try:
            await shown.members.change(shown.member, staff_id, MemberChanges(role=form.chosen()))
        except _FORM_ERRORS as error:
            return await shown.render(staff_id, error, role=form.role)
        return _done(f"{PEOPLE}/{staff_id}", "role")

    @post("/{staff_id:uuid}/deactivate", status_code=HTTP_303_SEE_OTHER)
    async def deactivate(self, staff_id: FromPath[UUID], shown: NamedDependency[MemberPage]) -> Response[Any]:
        change = shown.members.change(shown.member, staff_id, MemberChanges(active=False))
        return await shown.apply(staff_id, change, "deactivated")

    @post("/{staff_id:uuid}/reactivate", status_code=HTTP_303_SEE_OTHER)
    async def reactivate(self, staff_id: FromPath[UUID], shown: NamedDependency[MemberPage]) -> Response[Any]:
        change = shown.members.change(shown.member, staff_id, MemberChanges(active=True))
        return await shown.apply(staff_id, change, "reactivated")

    @post("/{staff_id:uuid}/invitation", status_code=HTTP_303_SEE_OTHER)
    async def invite_again(self, staff_id: FromPath[UUID], shown: NamedDependency[MemberPage]) -> Response[Any]:
        return await shown.apply(staff_id, shown.members.invite_again(shown.member, staff_id), "invited")

    @post("/{staff_id:uuid}/withdraw", status_code=HTTP_303_SEE_OTHER)
    async def withdraw(self, staff_id: FromPath[UUID], shown: NamedDependency[MemberPage]) -> Response[Any]:
        return await shown.apply(staff_id, shown.members.withdraw(shown.member, staff_id), "withdrawn", PEOPLE)

    @post("/{staff_id:uuid}/second-factor", status_code=HTTP_303_SEE_OTHER)
    async def reset_second_factor(self, staff_id: FromPath[UUID], shown: NamedDependency[MemberPage]) -> Response[Any]:
        """For who lost phone and recovery codes."""
        return await shown.apply(staff_id, shown.members.reset_second_factor(shown.member, staff_id), "second-factor")
