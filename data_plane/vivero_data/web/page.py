"""What every page of the workspace has: who looks, what they may, the navigation, a word about what was just done."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER
from vivero_ui.shell import Account, Command, NavItem, NavSection, Shell

from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.collections.service import CollectionService
from vivero_data.domain.identity.schemas import Identity
from vivero_data.domain.identity.service import IdentityService
from vivero_data.domain.limits.service import LimitService
from vivero_data.domain.users.schemas import Actor, Role
from vivero_data.web.format import days_left
from vivero_data.web.listing import collection_href
from vivero_data.web.render import Html, html

NAV_COLLECTIONS: Final = 8  # more would push the rest of the sidebar out of sight
NAV_COMMANDS: Final = 30  # the palette is in every page; beyond that its weight would show
NOTICE_COOKIE: Final = "__Host-notice"
_NOTICE_SECONDS: Final = 30  # long enough for the redirect that shows it
NOTICES: Final[Mapping[str, str]] = {
    "collection-created": "Collection created.",
    "collection-deleted": "Collection deleted.",
    "record-created": "Record created.",
    "record-saved": "Changes saved.",
    "record-unchanged": "Nothing was changed.",
    "record-deleted": "Record deleted.",
    "file-uploaded": "File uploaded.",
    "file-deleted": "File deleted.",
    "user-created": "User added. Give them the address, their e-mail and the password.",
    "user-invited": "Invitation on its way. It is good for seven days.",
    "invitation-withdrawn": "Invitation withdrawn.",
    "user-saved": "User changed.",
    "password-changed": "Password changed.",
    "password-set": "Your password is set. Log in with it.",
}


class Rights(msgspec.Struct, frozen=True):
    """What the role may, in the words of the pages: `write` records and files, `manage` users, collections and audit."""

    write: bool
    manage: bool
    own: bool


class Visit(msgspec.Struct, frozen=True):
    """One look at the workspace by one user."""

    actor: Actor
    can: Rights
    shell: Shell
    collections: list[Collection]
    notice: str
    now: datetime
    trial_days: int | None


def rights(role: Role) -> Rights:
    return Rights(write=role.includes(Role.MEMBER), manage=role.includes(Role.ADMIN), own=role is Role.OWNER)


async def provide_collection(
    actor: NamedDependency[Actor], collections: NamedDependency[CollectionService], name: FromPath[str]
) -> Collection:
    """The dependency `collection` of the pages below /collections/{name}."""
    return await collections.get(actor, name)


async def provide_visit(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    collections: NamedDependency[CollectionService],
    identity: NamedDependency[IdentityService],
    limits: NamedDependency[LimitService],
) -> Visit:
    """The dependency `visit` of every page behind the login."""
    now, trial_end = datetime.now(UTC), limits.current.trial_ends_at
    found = await collections.list(actor)
    can = rights(actor.role)
    return Visit(
        actor=actor,
        can=can,
        shell=shell(await identity.current(), request, actor, can, found),
        collections=found,
        notice=notice(request),
        now=now,
        trial_days=days_left(trial_end, now) if trial_end else None,
    )


def shell(
    identity: Identity, request: Request[Any, Any, Any], actor: Actor, can: Rights, collections: Sequence[Collection]
) -> Shell:
    """The frame around a page; lines that the role has no right to are left out."""
    return Shell(
        brand=identity.name,
        subtitle=identity.host(request.headers.get("host", "")),
        home_href="/",
        sections=_sections(can, collections, request.url.path),
        account=Account(name=actor.name or actor.email, email=actor.email, logout_href="/logout"),
        commands=_commands(can, collections),
    )


def _sections(can: Rights, collections: Sequence[Collection], path: str) -> list[NavSection]:
    def item(label: str, href: str, icon: str, count: int | None = None) -> NavItem:
        active = path == href or (href != "/" and path.startswith(f"{href}/"))
        return NavItem(label, href, icon, active=active, count=count)

    shown = sorted(collections, key=lambda one: one.name.casefold())[:NAV_COLLECTIONS]
    named = [item(one.name, collection_href(one.name), "table-2", one.records) for one in shown]
    all_item = NavItem("Collections", "/collections", "boxes", active=path in {"/collections", "/new-collection"})
    sections = [NavSection([item("Home", "/", "layout-dashboard"), all_item, item("Files", "/files", "files")])]
    if named:
        sections.append(NavSection(named, "Collections"))
    people = [item("Users", "/users", "users"), item("Audit log", "/audit", "scroll-text")] if can.manage else []
    rest = [*people, item("Usage and plan", "/usage", "gauge"), item("Your account", "/account", "user")]
    return [*sections, NavSection(rest, "Workspace")]


def _commands(can: Rights, collections: Sequence[Collection]) -> list[Command]:
    made = [Command("New collection", "/new-collection", "plus"), Command("Add a user", "/users/new", "user-plus")]
    add = [
        Command(f"New record in {one.name}", f"{collection_href(one.name)}/new", "plus")
        for one in collections[:NAV_COMMANDS]
    ]
    return [*(made if can.manage else []), *(add if can.write else [])]


def show(visit: Visit, template: str, context: Mapping[str, Any], *, status: int = 200) -> Html:
    """A page; a notice that it shows is not shown again."""
    every = {
        "visit": visit,
        "shell": visit.shell,
        "can": visit.can,
        "now": visit.now,
        "notice": visit.notice,
    }
    return html(template, {**every, **context}, status=status, cookies=[shown()] if visit.notice else [])


def notice(request: Request[Any, Any, Any]) -> str:
    """What was just done, in words; empty when nothing was."""
    return NOTICES.get(request.cookies.get(NOTICE_COOKIE, ""), "")


def shown() -> Cookie:
    """Ends the notice: it is shown once."""
    return Cookie(NOTICE_COOKIE, value="", max_age=0, path="/", secure=True, httponly=True, samesite="lax")


def done(target: str, said: str = "") -> Redirect:
    """After a form that did what it should: the page to see next, and what it says."""
    cookie = Cookie(
        NOTICE_COOKIE,
        value=said,
        max_age=_NOTICE_SECONDS,
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )
    return Redirect(target, status_code=HTTP_303_SEE_OTHER, cookies=[cookie] if said else [])
