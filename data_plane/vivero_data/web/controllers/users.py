"""Users of the workspace: the list, adding and inviting, role and activation."""

import secrets
from collections.abc import Mapping
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from vivero_core.model.naming import EMAIL_MAX_LENGTH
from vivero_web.bodies import read_form
from vivero_web.errors import WebError
from vivero_web.text import whole_number

from vivero_data.domain.invitations.service import InvitationService, NewInvitation
from vivero_data.domain.links.service import LinkService
from vivero_data.domain.roles.service import RoleService
from vivero_data.domain.second_factors.service import SecondFactorService
from vivero_data.domain.usage.service import UsageService
from vivero_data.domain.users.schemas import NewUser, Permission, Role, User, UserChanges, roles_with
from vivero_data.domain.users.service import UserService
from vivero_data.web.forms import FORM_ERRORS, MAIL_FORM_ERRORS, field_errors
from vivero_data.web.listing import address, page_links
from vivero_data.web.page import Visit, done, require, show
from vivero_data.web.render import Html
from vivero_data.web.roles import OWN_LABEL, ROLE_LABELS

_OWN: Final = "own-"
_PASSWORD_BYTES: Final = 16  # 128 bits, 22 characters


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
        "offered": await links.available(),
    }
    return show(visit, "users/list.html.j2", context)


@get("/users/new")
async def new_user(
    visit: NamedDependency[Visit],
    links: NamedDependency[LinkService],
    roles: NamedDependency[RoleService],
    by: FromQuery[str] = "",
    email: FromQuery[str] = "",
) -> Html:
    """Invite by mail if the workspace can send mail; otherwise, or on request, set a password to hand over.

    `email` is of a colleague who asks to join: the platform's mail to the owner leads here with it.
    """
    require(visit, Permission.MANAGE_USERS, "add users")
    offered = await links.available()
    form = {"role": str(Role.MEMBER), "email": email[:EMAIL_MAX_LENGTH]}
    if by == "password" or not offered:
        form |= {"by": "password", "password": secrets.token_urlsafe(_PASSWORD_BYTES)}
    return _new(visit, form, await roles.names(visit.actor), offered=offered)


@post("/users/new")
async def create_user(  # noqa: PLR0913, PLR0917  who, the form and the services
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    users: NamedDependency[UserService],
    invitations: NamedDependency[InvitationService],
    links: NamedDependency[LinkService],
    roles: NamedDependency[RoleService],
) -> Response[Any]:
    require(visit, Permission.MANAGE_USERS, "add users")
    form = await read_form(request)
    email, name = form.get("email", "").strip(), form.get("name", "").strip()
    role, own = _role(form) or Role.VIEWER, _own_role(form)
    try:
        if _by_mail(form):
            await invitations.invite(visit.actor, NewInvitation(email, name, role, own))
        else:
            await users.create(visit.actor, NewUser(email, form.get("password", ""), name, role, own))
    except MAIL_FORM_ERRORS as error:
        names = await roles.names(visit.actor)
        return _new(visit, form, names, offered=await links.available(), problem=error)
    return done("/users", "user-invited" if _by_mail(form) else "user-created")


@get("/users/{user_id:int}")
async def user_page(
    visit: NamedDependency[Visit],
    users: NamedDependency[UserService],
    second_factors: NamedDependency[SecondFactorService],
    roles: NamedDependency[RoleService],
    user_id: FromPath[int],
) -> Html:
    require(visit, Permission.MANAGE_USERS, "manage users")
    user, names = await users.get(visit.actor, user_id), await roles.names(visit.actor)
    return _user(visit, user, names, factor=await second_factors.is_active(visit.actor, user_id))


@post("/users/{user_id:int}")
async def change_user(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    users: NamedDependency[UserService],
    roles: NamedDependency[RoleService],
    user_id: FromPath[int],
) -> Response[Any]:
    require(visit, Permission.MANAGE_USERS, "manage users")
    form = await read_form(request)
    changes = UserChanges(name=form.get("name"), role=_role(form), active=_active(form), own_role=_own_role(form))
    try:
        await users.change(visit.actor, user_id, changes)
    except FORM_ERRORS as error:
        user, names = await users.get(visit.actor, user_id), await roles.names(visit.actor)
        return _user(visit, user, names, form, problem=error)
    return done("/users", "user-saved")


@post("/users/{user_id:int}/invitation")
async def change_invitation(  # noqa: PLR0913, PLR0917  as above
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    users: NamedDependency[UserService],
    invitations: NamedDependency[InvitationService],
    roles: NamedDependency[RoleService],
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
        return _user(visit, await users.get(visit.actor, user_id), await roles.names(visit.actor), problem=error)
    return done("/users", "invitation-withdrawn" if withdrawn else "user-invited")


def _role(form: dict[str, str]) -> Role | None:
    text = form.get("role", "")
    return Role(text) if text in ROLE_LABELS else None


def _own_role(form: dict[str, str]) -> int | None:
    text = form.get("role", "")
    return whole_number(text.removeprefix(_OWN)) if text.startswith(_OWN) else None


def _by_mail(form: dict[str, str]) -> bool:
    """Whether to invite. An explicit field: a missing password must not turn into an invitation."""
    return "password" not in form and form.get("by") != "password"


def _active(form: dict[str, str]) -> bool | None:
    return {"true": True, "false": False}.get(form.get("active", ""))


def _roles(visit: Visit, own: Mapping[int, str]) -> list[tuple[str, tuple[str, str]]]:
    """The roles that the user may assign: owners all, administrators those that do not manage users."""
    high = () if visit.can.manage_admins else roles_with(Permission.MANAGE_USERS)
    usual = [(str(role), words) for role, words in ROLE_LABELS.items() if role not in high]
    return [*usual, *((f"{_OWN}{number}", (name, OWN_LABEL)) for number, name in own.items())]


def _new(
    visit: Visit, form: dict[str, str], own: Mapping[int, str], *, offered: bool, problem: WebError | None = None
) -> Html:
    context = {
        "form": form,
        "offered": offered,
        "by_mail": _by_mail(form),
        "roles": _roles(visit, own),
        "problem": problem,
        "errors": field_errors(problem) if problem else {},
    }
    return show(visit, "users/new.html.j2", context, status=problem.status if problem else 200)


def _user(  # noqa: PLR0913  what the page shows
    visit: Visit,
    user: User,
    own: Mapping[int, str],
    typed: Mapping[str, str] | None = None,
    *,
    factor: bool = False,
    problem: WebError | None = None,
) -> Html:
    """`own`: the workspace's own roles; `factor`: whether this user has two-step login."""
    roles = _roles(visit, own)
    role = f"{_OWN}{user.own_role.id}" if user.own_role else str(user.role)
    context = {
        "user": user,
        "factor": factor,
        "form": {"name": user.name, "role": role, **(typed or {})},
        "roles": roles,
        "mine": role in dict(roles),
        "problem": problem,
        "errors": field_errors(problem) if problem else {},
    }
    return show(visit, "users/edit.html.j2", context, status=problem.status if problem else 200)
