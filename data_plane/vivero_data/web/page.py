"""The common parts of the workspace's pages: user, permissions, navigation, and the notice after an action."""

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
from vivero_ui.filters import plural
from vivero_ui.shell import Account, Command, NavItem, NavSection, Shell
from vivero_web.errors import NotAllowedError
from vivero_web.text import whole_number

from vivero_data.domain.collections.names import fold
from vivero_data.domain.collections.schemas import Collection, CollectionQuery, CollectionSummary
from vivero_data.domain.collections.service import CollectionService
from vivero_data.domain.favourites.service import FavouriteService
from vivero_data.domain.identity.service import Identity, IdentityService
from vivero_data.domain.limits.service import LimitService
from vivero_data.domain.notation.person import PersonNotationService
from vivero_data.domain.roles.rights import MissingRightError, OwnRole, Right
from vivero_data.domain.users.schemas import READING, Actor, Permission, Role, roles_with
from vivero_data.domain.views.schemas import NamedView
from vivero_data.lib.notation import Notation
from vivero_data.web.format import days_left
from vivero_data.web.listing import VIEW_ICONS, collection_href, view_href
from vivero_data.web.render import Html, html
from vivero_data.web.writing import writing

NAV_COLLECTIONS: Final = 8  # more would push the rest of the sidebar out of sight
_COMMANDS: Final = (
    (Permission.MANAGE_COLLECTIONS, Command("New collection", "/new-collection", "plus")),
    (Permission.MANAGE_USERS, Command("Add a user", "/users/new", "user-plus")),
)
NOTICE_COOKIE: Final = "__Host-notice"
_NOTICE_SECONDS: Final = 30  # long enough for the redirect that shows it
NOTICES: Final[Mapping[str, str]] = {
    "collection-created": "Collection created.",
    "collection-deleted": "Collection deleted. It can be restored for 30 days.",
    "record-created": "Record created.",
    "record-saved": "Changes saved.",
    "day-conflict": "Somebody else changed its dates meanwhile. Nothing was moved: it is shown where it is now.",
    "record-unchanged": "Nothing was changed.",
    "comment-added": "Comment added.",
    "comment-changed": "Comment changed.",
    "comment-deleted": "Comment deleted.",
    "records-changed": "{} changed.",
    "records-copied": "{} added.",
    "records-deleted": "{} deleted.",
    "undone": "Undone.",
    "view-saved": "View saved.",
    "view-copied": "Copied. The copy is yours alone until you share it.",
    "view-deleted": "View deleted.",
    "record-deleted": "Record deleted. It can be restored for 30 days.",
    "field-added": "Field added.",
    "field-saved": "Field changed.",
    "field-deleted": "Field deleted. It can be restored for 30 days.",
    "fields-moved": "Order of fields changed.",
    "collection-saved": "Collection changed.",
    "restored": "Restored.",
    "file-added": "File added.",
    "file-removed": "File removed. It can be restored for 30 days.",
    "file-uploaded": "File uploaded.",
    "file-deleted": "File deleted.",
    "user-created": "User added. Give them the address, their e-mail and the password.",
    "user-invited": "Invitation on its way. It is good for seven days.",
    "invitation-withdrawn": "Invitation withdrawn.",
    "user-saved": "User changed.",
    "role-created": "Role created. Give it to people on their pages.",
    "role-saved": "Role changed. It counts from now on.",
    "role-deleted": "Role deleted.",
    "settings-saved": "Settings saved.",
    "notation-saved": "Your notation is saved.",
    "second-factor-ended": "Two-step login is off.",
    "session-ended": "Session ended.",
    "sessions-ended": "All your other sessions are ended.",
    "workspace-export-deleted": "The export is deleted.",
    "webhook-saved": "Webhook saved.",
    "webhook-deleted": "Webhook deleted.",
    "key-saved": "Key renamed.",
    "key-revoked": "Key revoked. Programs that use it are refused.",
    "report-created": "Report created.",
    "report-saved": "Report saved.",
    "report-deleted": "Report deleted.",
    "report-on-home": "The report is on the home page.",
    "sample-created": "Your sample data is here. Look around, change it, and remove it when you are ready.",
    "sample-deleted": "Sample data removed. Its collections are in the trash for 30 days.",
    "schedule-created": "It will be sent.",
    "schedule-saved": "Changes saved.",
    "schedule-deleted": "It is not sent any more.",
    "dashboard-created": "Dashboard created.",
    "dashboard-saved": "Dashboard saved.",
    "dashboard-deleted": "Dashboard deleted.",
    "email-asked": "A link is on its way to the new address. It is good for an hour.",
    "email-changed": "Your e-mail address is changed. Log in with the new one.",
    "password-changed": "Password changed.",
    "password-set": "Your password is set. Log in with it.",
}


class Can(msgspec.Struct, frozen=True):
    """An actor's permissions for templates: `can.write_records`. An unknown permission is an error.

    What is done with the records of a collection is asked with it: `can.change(collection)`.
    """

    permissions: frozenset[Permission]
    own: OwnRole | None = None

    def __getattr__(self, name: str) -> bool:
        try:
            return Permission(name) in self.permissions
        except ValueError:
            raise AttributeError(name) from None

    def create(self, collection: Collection | CollectionSummary) -> bool:
        return self._writes(collection, Right.CREATE)

    def change(self, collection: Collection) -> bool:
        return self._writes(collection, Right.CHANGE)

    def delete(self, collection: Collection) -> bool:
        return self._writes(collection, Right.DELETE)

    def export(self, collection: Collection) -> bool:
        return self.has(collection, Right.EXPORT)

    def read_only(self, collection: Collection) -> frozenset[int]:
        """The numbers of the fields that the role only reads."""
        rights = self.own.collections.get(collection.id) if self.own else None
        return rights.read_only if rights else frozenset()

    def _writes(self, collection: Collection | CollectionSummary, right: Right) -> bool:
        return Permission.WRITE_RECORDS in self.permissions and self.has(collection, right)

    def has(self, collection: Collection | CollectionSummary, right: Right) -> bool:
        rights = self.own.collections.get(collection.id) if self.own else None
        return self.own is None or bool(rights and rights.has(right))


class Undo(msgspec.Struct, frozen=True):
    """An entry of the trash that takes back what was just done, and the page to come back to."""

    entry: int
    back: str


class Viewer(msgspec.Struct, frozen=True):
    """Who looks, and how values are written for them: all that a part of a page needs."""

    actor: Actor
    can: Can
    now: datetime
    notation: Notation


class Visit(Viewer, frozen=True):
    """The context of one page view; `collections` are the first by name, of `collection_count`.

    Attributes:
        favourites, favourite_views: the actor's.
        undo: how what the notice is about is taken back.
        as_of: the second that is shown, of a workspace that can only be read.
    """

    shell: Shell
    collections: list[CollectionSummary]
    collection_count: int
    favourites: list[CollectionSummary]
    favourite_views: list[NamedView]
    notice: str
    undo: Undo | None
    trial_days: int | None
    as_of: datetime | None


def require(visit: Visit, permission: Permission, action: str) -> None:
    """Check the actor's permission.

    Raises:
        NotAllowedError: naming the roles that have it, or who can assign one.
    """
    if visit.actor.may(permission):
        return
    if Role.MEMBER in roles_with(permission):
        raise NotAllowedError(
            f"Your role is {visit.actor.role_name}. To {action}, ask an administrator to make you a member."
        )
    raise NotAllowedError(f"Only administrators and the owner of this workspace can {action}.")


def require_right(visit: Visit, collection: Collection, right: Right, action: str) -> None:
    """Check the actor's permission to write records, and their role's right on this collection.

    Raises:
        NotAllowedError: naming the roles that have it, or what the role may not.
    """
    require(visit, Permission.WRITE_RECORDS, action)
    if not visit.can.has(collection, right):
        raise MissingRightError(visit.actor.role_name, right, collection.name)


def require_owner(visit: Visit, permission: Permission, action: str) -> None:
    """Check a permission that only owners have.

    Raises:
        NotAllowedError: the actor is no owner.
    """
    if not visit.actor.may(permission):
        raise NotAllowedError(f"Only an owner of this workspace can {action}.")


async def provide_collection(
    actor: NamedDependency[Actor], collections: NamedDependency[CollectionService], name: FromPath[str]
) -> Collection:
    """The dependency `collection` of the pages below /collections/{name}."""
    return await collections.get(actor, name)


class ShownCollections(msgspec.Struct, frozen=True):
    """What the sidebar shows: the actor's favourites, and the first by name of so many."""

    favourites: list[CollectionSummary]
    views: list[NamedView]
    first: list[CollectionSummary]
    count: int


async def provide_shown_collections(
    actor: NamedDependency[Actor],
    collections: NamedDependency[CollectionService],
    favourites: NamedDependency[FavouriteService],
) -> ShownCollections:
    """The dependency `shown_collections` of `provide_visit`."""
    if actor.lacks_second_factor:
        return ShownCollections([], [], [], 0)
    found = await collections.browse(actor, CollectionQuery(limit=NAV_COLLECTIONS))
    return ShownCollections(await favourites.list(actor), await favourites.views(actor), found.items, found.total or 0)


async def provide_viewer(
    actor: NamedDependency[Actor],
    identity: NamedDependency[IdentityService],
    person_notation: NamedDependency[PersonNotationService],
) -> Viewer:
    """The dependency `viewer` of parts of pages, which need no sidebar."""
    as_of = (await identity.current()).as_of
    can = Can(actor.permissions if as_of is None else actor.permissions & READING, actor.own)
    return Viewer(actor, can, datetime.now(UTC), await person_notation.effective(actor))


async def provide_visit(
    request: Request[Any, Any, Any],
    viewer: NamedDependency[Viewer],
    shown_collections: NamedDependency[ShownCollections],
    identity: NamedDependency[IdentityService],
    limits: NamedDependency[LimitService],
) -> Visit:
    """The dependency `visit` of every page behind the login."""
    who, trial_end = await identity.current(), limits.current.trial_ends_at
    actor, can = viewer.actor, viewer.can
    return Visit(
        actor=actor,
        can=can,
        now=viewer.now,
        notation=viewer.notation,
        shell=shell(who, request, actor, can, _sections_of(request, shown_collections)),
        collections=shown_collections.first,
        collection_count=shown_collections.count,
        favourites=shown_collections.favourites,
        favourite_views=shown_collections.views,
        notice=notice(request),
        undo=undo(request),
        trial_days=days_left(trial_end, viewer.now) if trial_end and who.as_of is None else None,
        as_of=who.as_of,
    )


def shell(
    identity: Identity, request: Request[Any, Any, Any], actor: Actor, can: Can, collections: Sequence[NavSection]
) -> Shell:
    """The frame around a page, without what the actor may not do."""
    if actor.lacks_second_factor:
        can = Can(frozenset())
    return Shell(
        brand=identity.name,
        subtitle=identity.host(request.headers.get("host", "")),
        home_href="/",
        sections=[] if actor.lacks_second_factor else _sections(can, collections, request.url.path),
        account=Account(name=actor.name or actor.email, email=actor.email, logout_href="/logout"),
        commands=[command for permission, command in _COMMANDS if permission in can.permissions],
        search_href="/collections?q=",
        search_label="Search collections for",
        palette_href="/palette?q=",
    )


def _sections_of(request: Request[Any, Any, Any], shown: ShownCollections) -> list[NavSection]:
    """The favourites, collections before views; the first of the other collections, the current one if it is not among them, a link to all."""
    here = str(request.path_params.get("name", "")) if request.url.path.startswith("/collections/") else ""
    viewed = request.query_params.get("view", "")

    def of_view(one: NamedView) -> NavItem:
        there = fold(one.collection) == fold(here) and viewed == str(one.id)
        return NavItem(one.name, view_href(one.collection, one.id), VIEW_ICONS[one.kind], there)

    views = [of_view(one) for one in shown.views]
    in_view = any(one.active for one in views)

    def item(one: CollectionSummary) -> NavItem:
        return NavItem(
            one.name,
            collection_href(one.name),
            "table-2",
            fold(one.name) == fold(here) and not in_view,
            None if one.partial else one.records,
        )

    own, ids = [*map(item, shown.favourites), *views], {one.id for one in shown.favourites}
    others = [item(one) for one in shown.first if one.id not in ids]
    if here and not any(one.active for one in [*own, *others]):
        others.append(NavItem(here, collection_href(here), "table-2", active=True))
    more = shown.count > len(shown.first)
    rest = NavItem(f"All {shown.count:,} collections", "/collections", "boxes") if more else None
    sections = [
        NavSection(own, "Favourites", searched=True),
        NavSection(others, "Collections", more=rest, searched=True, find_href="/collections" if more else ""),
    ]
    return [one for one in sections if one.items or one.more]


def _sections(can: Can, collections: Sequence[NavSection], path: str) -> list[NavSection]:
    def item(label: str, href: str, icon: str) -> NavItem:
        active = path == href or (href != "/" and path.startswith(f"{href}/"))
        return NavItem(label, href, icon, active=active)

    all_item = NavItem("Collections", "/collections", "boxes", active=path in {"/collections", "/new-collection"})
    reports = NavItem(
        "Reports", "/reports", "bar-chart-3", active=path.startswith(("/reports", "/dashboards", "/report-schedules"))
    )
    places = NavSection(
        [
            item("Home", "/", "layout-dashboard"),
            all_item,
            reports,
            *([item("Files", "/files", "files")] if can.read_files else []),
        ]
    )
    rest = [
        *([item("Users", "/users", "users"), item("Roles", "/roles", "shield-check")] if can.manage_users else []),
        *([item("Trash", "/trash", "trash-2")] if can.write_records else []),
        *([item("Audit log", "/audit", "scroll-text")] if can.read_audit_log else []),
        *([item("Settings", "/settings", "settings")] if can.manage_workspace else []),
        *([item("Webhooks", "/webhooks", "zap")] if can.manage_collections else []),
        item("API", "/developers", "code-xml"),
        item("Help", "/help", "circle-help"),
        *([item("Usage and plan", "/usage", "gauge")] if can.read_usage else []),
        item("Your account", "/account", "user"),
    ]
    return [places, *collections, NavSection(rest, "Workspace")]


def show(
    visit: Visit,
    template: str,
    context: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Html:
    """Render a page; deletes the notice's cookie if the notice is shown."""
    every = {
        "visit": visit,
        "shell": visit.shell,
        "can": visit.can,
        "now": visit.now,
        "notice": visit.notice,
    }
    with writing(visit.notation):
        cookies = [shown()] if visit.notice else []
        return html(template, {**every, **context}, status=status, headers=headers, cookies=cookies)


def fragment(viewer: Viewer, template: str, context: Mapping[str, Any]) -> Html:
    """Render a part of a page, without shell and notice."""
    with writing(viewer.notation):
        return html(template, {"can": viewer.can, "now": viewer.now, **context})


def notice(request: Request[Any, Any, Any]) -> str:
    """The notice about the last action; empty if there is none."""
    said, count, _ = _noted(request)
    return NOTICES.get(said, "").format(plural(count, "record"))


def undo(request: Request[Any, Any, Any]) -> Undo | None:
    """How the last action is taken back, if its notice offers that."""
    _, _, entry = _noted(request)
    if not entry:
        return None
    query = request.url.query
    return Undo(entry, f"{request.url.path}?{query}" if query else request.url.path)


def _noted(request: Request[Any, Any, Any]) -> tuple[str, int, int]:
    """What the notice's cookie says: which notice, of how many records, and their entry in the trash."""
    said, _, numbers = request.cookies.get(NOTICE_COOKIE, "").partition(".")
    count, _, entry = numbers.partition(".")
    return said, whole_number(count) or 0, whole_number(entry) or 0


def shown() -> Cookie:
    """Deletes the notice's cookie: it is shown once."""
    return Cookie(NOTICE_COOKIE, value="", max_age=0, path="/", secure=True, httponly=True, samesite="lax")


def done(target: str, said: str = "", count: int = 0, entry: int = 0) -> Redirect:
    """Redirect after a successful form (post/redirect/get), with a notice.

    `count` is how many records it is about, `entry` what undoes it: the number of an entry of the trash.
    """
    cookie = Cookie(
        NOTICE_COOKIE,
        value=f"{said}.{count}.{entry}" if count or entry else said,
        max_age=_NOTICE_SECONDS,
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )
    return Redirect(target, status_code=HTTP_303_SEE_OTHER, cookies=[cookie] if said else [])
