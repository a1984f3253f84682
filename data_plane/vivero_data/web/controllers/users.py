"""Users of the workspace: the list, adding and inviting, role and activation."""

import secrets
from collections.abc import Mapping
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from vivero_web.bodies import read_form
from vivero_web.errors import WebError

from vivero_data.domain.invitations.service import InvitationService, NewInvitation
from vivero_data.domain.links.service import LinkService
from vivero_data.domain.second_factors.service import SecondFactorService
from vivero_data.domain.usage.service import UsageService
from vivero_data.domain.users.schemas import NewUser, Permission, Role, User, UserChanges, roles_with
from vivero_data.domain.users.service import UserService
from vivero_data.web.forms import FORM_ERRORS, MAIL_FORM_ERRORS, field_errors
from vivero_data.web.listing import address, page_links
from vivero_data.web.page import Visit, done, require, show
from vivero_data.web.render import Html

ROLE_LABELS: Final = {
    Role.OWNER: ("Owner", "Everything, including other owners"),
    Role.ADMIN: ("Administrator", "Users, collections, audit log, and all a member can"),
    Role.MEMBER: ("Member", "Adds and changes records and files"),
    Role.VIEWER: ("Viewer", "Sees records and files"),
}
_PASSWORD_BYTES: Final = 12  # 96 bits, 16 characters


@get("/users")
async def user_list(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    users: NamedDependency[UserService],
    usage: NamedDependency[UsageService],
    links: NamedDependency[LinkService],
) -> Html:
    require(visit, Permission.MANAGE_USERS, "see and manage users")
    here = address("/users", request.query_params.multi_items(), "cursor", "back")
    page = await users.list(visit.actor, cursor=here.get("cursor") or None)
    context = {
        "page": page,
        "page_links": page_links(here, page.next_cursor),
        "usage": await usage.get(visit.actor),
        "role_labels": ROLE_LABELS,
        "offered": await links.available(),
    }
    return show(visit, "users/list.html.j2", context)


@get("/users/new")
async def new_user(visit: NamedDependency[Visit], links: NamedDependency[LinkService], by: FromQuery[str] = "") -> Html:
    """Invite by mail if the workspace can send mail; otherwise, or on request, set a password to hand over."""
    require(visit, Permission.MANAGE_USERS, "add users")
    offered = await links.available()
    form = {"role": str(Role.MEMBER)}
    if by == "password" or not offered:
        form |= {"by": "password", "password": secrets.token_urlsafe(_PASSWORD_BYTES)}
    return _new(visit, form, offered=offered)


@post("/users/new")
async def create_user(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    users: NamedDependency[UserService],
    invitations: NamedDependency[InvitationService],
    links: NamedDependency[LinkService],
) -> Response[Any]:
    require(visit, Permission.MANAGE_USERS, "add users")
    form = await read_form(request)
    email, name, role = form.get("email", "").strip(), form.get("name", "").strip(), _role(form) or Role.VIEWER
    try:
        if _by_mail(form):
            await invitations.invite(visit.actor, NewInvitation(email, name, role))
        else:
            await users.create(visit.actor, NewUser(email, form.get("password", ""), name, role))
    except MAIL_FORM_ERRORS as error:
        return _new(visit, form, offered=await links.available(), problem=error)
    return done("/users", "user-invited" if _by_mail(form) else "user-created")


@get("/users/{user_id:int}")
async def user_page(
    visit: NamedDependency[Visit],
    users: NamedDependency[UserService],
    second_factors: NamedDependency[SecondFactorService],
    user_id: FromPath[int],
) -> Html:
    require(visit, Permission.MANAGE_USERS, "manage users")
    user = await users.get(visit.actor, user_id)
    return _user(visit, user, factor=await second_factors.is_active(visit.actor, user_id))


@post("/users/{user_id:int}")
async def change_user(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    users: NamedDependency[UserService],
    user_id: FromPath[int],
) -> Response[Any]:
    require(visit, Permission.MANAGE_USERS, "manage users")
    form = await read_form(request)
    changes = UserChanges(name=form.get("name"), role=_role(form), active=_active(form))
    try:
        await users.change(visit.actor, user_id, changes)
    except FORM_ERRORS as error:
        return _user(visit, await users.get(visit.actor, user_id), form, problem=error)
    return done("/users", "user-saved")


@post("/users/{user_id:int}/invitation")
async def change_invitation(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    users: NamedDependency[UserService],
    invitations: NamedDependency[InvitationService],
    user_id: FromPath[int],
) -> Response[Any]:
    """Send the invitation again, or withdraw it."""
    require(visit, Permission.MANAGE_USERS, "manage users")
    withdrawn = (await read_form(request)).get("action") == "withdraw"
    try:
        if withdrawn:
            await invitations.withdraw(visit.actor, user_id)
        else:
            await invitations.repeat(visit.actor, user_id)
    except MAIL_FORM_ERRORS as error:
        return _user(visit, await users.get(visit.actor, user_id), problem=error)
    return done("/users", "invitation-withdrawn" if withdrawn else "user-invited")


def _role(form: dict[str, str]) -> Role | None:
    text = form.get("role", "")
    return Role(text) if text in set(Role) else None


def _by_mail(form: dict[str, str]) -> bool:
    """Whether to invite. An explicit field: a missing password must not turn into an invitation."""
    return "password" not in form and form.get("by") != "password"


def _active(form: dict[str, str]) -> bool | None:
    return {"true": True, "false": False}.get(form.get("active", ""))


def _roles(visit: Visit) -> list[tuple[Role, tuple[str, str]]]:
    """The roles that the user may assign: owners all, administrators those that do not manage users."""
    high = () if visit.can.manage_admins else roles_with(Permission.MANAGE_USERS)
    return [(role, words) for role, words in ROLE_LABELS.items() if role not in high]


def _new(visit: Visit, form: dict[str, str], *, offered: bool, problem: WebError | None = None) -> Html:
    context = {
        "form": form,
        "offered": offered,
        "by_mail": _by_mail(form),
        "roles": _roles(visit),
        "problem": problem,
        "errors": field_errors(problem) if problem else {},
    }
    return show(visit, "users/new.html.j2", context, status=problem.status if problem else 200)


def _user(
    visit: Visit,
    user: User,
    typed: Mapping[str, str] | None = None,
    *,
    factor: bool = False,
    problem: WebError | None = None,
) -> Html:
    """`factor`: whether this user has two-step login."""
    context = {
        "user": user,
        "factor": factor,
        "form": {"name": user.name, "role": user.role, **(typed or {})},
        "roles": _roles(visit),
        "mine": user.role in dict(_roles(visit)),
        "role_labels": ROLE_LABELS,
        "problem": problem,
        "errors": field_errors(problem) if problem else {},
    }
    return show(visit, "users/edit.html.j2", context, status=problem.status if problem else 200)
