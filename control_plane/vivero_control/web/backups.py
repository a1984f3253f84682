"""The staff's pages about backups: one tenant's, the form that brings it back, and the newest of all tenants."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK, HTTP_303_SEE_OTHER
from msgspec import Struct, structs
from vivero_web.bodies import read_form_as
from vivero_web.clock import Clock
from vivero_web.errors import ConflictError, FieldError, InvalidInputError, WebError

from vivero_control.domain.backups import policies
from vivero_control.domain.backups.schemas import BackUp, BringBack, Target
from vivero_control.domain.backups.service import BackupService
from vivero_control.domain.staff.guards import session_operator, session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.tenants.schemas import TenantDetail, TenantState
from vivero_control.domain.tenants.service import TenantService
from vivero_control.lib.idempotency import KeyBusyError
from vivero_control.settings import Settings
from vivero_control.web import operations, tenant_forms
from vivero_control.web.site import workspace_domain
from vivero_control.web.staff_shell import BACKUPS, HOME, shell

# What the page says after an order; the address carries the word, not the sentence.
DONE: Final = {
    "backup": "A backup was asked for. It is complete when it was read back and compared.",
    "restore": "Bringing back was asked for. Nobody gets to see the data before it was compared with its source.",
}
_FIELDS: Final = ("time", "backup", "target.slug", "target.tenant", "confirm", "reason")
_NO_ORDERS: Final = frozenset({TenantState.STANDBY, TenantState.DELETING, TenantState.UNREADABLE})
SOURCES: Final = {
    "now": ("As it is now", "All that is committed when you send this"),
    "moment": ("As it was at a second", "All that was committed until then, and nothing else"),
    "backup": ("As a backup holds it", "One that was read back and compared"),
}


TARGETS: Final = {
    "new": ("Into a new workspace", "Beside this one, with the same plan, owner and logins; this one stays as it is"),
    "look": (
        "To look at it",
        "A read-only workspace as of that second beside this one, at an address of its own, for a day",
    ),
    "place": ("In place", "This workspace itself goes back; what was written since is taken out of it"),
}


class BackUpForm(Struct, kw_only=True):
    """The button: each page that shows it has a key of its own, so that pressed twice it is one backup."""

    key: str = ""


class BringBackForm(Struct, kw_only=True):
    """The form's fields as typed."""

    source: str = "now"
    moment: str = ""
    backup: str = ""
    into: str = "new"
    slug: str = ""
    tenant: str = ""
    confirm: str = ""
    reason: str = ""
    key: str = ""

    @property
    def is_in_place(self) -> bool:
        return self.into == "place"

    def _target(self) -> Target:
        if self.is_in_place:
            return Target(in_place=True)
        return Target(as_of=True) if self.into == "look" else Target(slug=self.slug, tenant=self.tenant)

    def problems(self, name: str) -> list[FieldError]:
        """What no order can be read from; `name` is the Tenant's."""
        errors = tenant_forms.reason_errors(self.reason)
        if self.is_in_place and self.confirm.strip() != name:
            errors.append(FieldError("confirm", f"Type the tenant's name, {name}."))
        if self.into not in TARGETS:
            errors.append(FieldError("into", "Choose where to."))
        if self.source == "moment" and tenant_forms.moment(self.moment) is None:
            errors.append(FieldError("time", "Enter a day and a time, such as 2026-11-29 14:05:09."))
        if self.source == "backup" and not self.backup:
            errors.append(FieldError("backup", "Choose a backup."))
        if self.source not in SOURCES:
            errors.append(FieldError("source", "Choose what it is brought back from."))
        return errors

    def order(self) -> BringBack:
        """What was chosen counts, not what else is still typed."""
        return BringBack(
            reason=self.reason.strip(),
            target=self._target(),
            time=tenant_forms.moment(self.moment) if self.source == "moment" else None,
            backup=(self.backup or None) if self.source == "backup" else None,
        )


def _by_field(error: WebError | None) -> tuple[Mapping[str, str], str]:
    """Sentences by field, of which every one has a key, and what is wrong beside them."""
    found = error.by_field if error else {}
    at_fields = {name: found.pop(name, "") for name in _FIELDS}
    beside = " ".join(found.values()) or (error.detail if error and not error.errors else "")
    return at_fields, beside


@dataclass(frozen=True, slots=True)
class BackupPages:
    """The pages about one tenant; Litestar makes it from the services it names."""

    backups: NamedDependency[BackupService]
    tenants: NamedDependency[TenantService]
    settings: NamedDependency[Settings]
    clock: NamedDependency[Clock]
    member: NamedDependency[StaffView]

    async def overview(self, name: str, *, done: str = "", seen: str = "", error: WebError | None = None) -> Template:
        """`seen`: how many had ended when the page was loaded that looks again; another number brings new lists."""
        detail, found = await self.tenants.get(name), self.backups.overview(name)
        ended = str(found.ended_backups + found.ended_restores)
        context: dict[str, Any] = self._context(detail) | {
            "under_way": operations.lines(found.under_way),
            "backups": operations.lines(found.backups),
            "restores": operations.lines(found.restores),
            "backups_counted": operations.counted(len(found.backups), found.ended_backups, "backups"),
            "restores_counted": operations.counted(len(found.restores), found.ended_restores, "restores"),
            "newest": next((one for one in found.backups if one.restorable), None),
            "may_order": self._may_order(detail),
            "is_admin": self.member.role == "admin",
            "key": secrets.token_hex(16),
            "done": DONE.get(done, ""),
            "problem": error.detail if error else "",
            "watch": bool(done) or bool(found.under_way),
            "ended": ended,
            "refresh": bool(seen) and seen != ended,
        }
        return Template("pages/backups.html.j2", context=context, status_code=error.status if error else HTTP_200_OK)

    async def form(self, name: str, form: BringBackForm, error: WebError | None = None) -> Template:
        detail, kept = await self.tenants.get(name), self.backups.restorable(name)
        errors, problem = _by_field(error)
        sources = {source: words for source, words in SOURCES.items() if source != "backup" or kept}
        context: dict[str, Any] = self._context(detail) | {
            "may_order": self._may_order(detail),
            "form": structs.replace(form, key=secrets.token_hex(16)),  # a corrected form is another order
            "sources": sources.items(),
            "targets": TARGETS.items(),
            "options": [("", "Choose a backup"), *map(operations.backup_option, kept)],
            "errors": errors,
            "first_wrong": next((field for field, words in errors.items() if words), ""),
            "problem": problem,
            "domain": workspace_domain(self.settings),
        }
        return Template("pages/bring_back.html.j2", context=context, status_code=error.status if error else HTTP_200_OK)

    async def empty_form(self, name: str, backup: str, undo: str) -> BringBackForm:
        """With what is most likely meant; `undo` is when a restore in place took the place of the data before."""
        detail = await self.tenants.get(name)
        return BringBackForm(
            source="moment" if undo else "backup" if backup else "now",
            moment=undo,
            backup=backup,
            into="place" if undo else "new",
            slug=policies.proposed_slug(detail.tenant.slug or detail.tenant.name, self.clock()),
        )

    async def bring_back(self, name: str, form: BringBackForm) -> None:
        """Raises InvalidInputError naming every wrong field, whoever found it."""
        order = form.order()
        if errors := form.problems(name):
            raise InvalidInputError.of_all([*errors, *self.backups.problems(name, order)])
        await self.backups.bring_back(name, order, self.member.email, idempotency_key=form.key or None)

    def _context(self, detail: TenantDetail) -> dict[str, Any]:
        return {
            "shell": shell(self.member),
            "row": detail.tenant,
            "here": f"{HOME}/{quote(detail.tenant.name)}",
            "recovery": self.backups.recovery(detail.tenant.name),
            "proofs": operations.PROOFS,
            "no_bucket": self.backups.no_bucket(),
        }

    def _may_order(self, detail: TenantDetail) -> bool:
        """Whether there is a button: never for what cannot work."""
        takes_orders = detail.tenant.state not in _NO_ORDERS
        return self.member.role == "admin" and takes_orders and not self.backups.no_bucket()


_FOR_ADMINS: Final = {"member": Provide(session_operator)}


class TenantBackupsController(Controller):
    """Behind the staff login; orders are for admins."""

    path = f"{HOME}/{{name:str}}"
    include_in_schema = False
    dependencies = {  # noqa: RUF012  Litestar's own declaration
        "member": Provide(session_staff),
        "pages": Provide(BackupPages, sync_to_thread=False),
    }

    @get("/backups", name="backups")
    async def overview(
        self, request: Request[Any, Any, Any], name: FromPath[str], pages: NamedDependency[BackupPages]
    ) -> Template:
        params = request.query_params
        return await pages.overview(name, done=params.get("done", ""), seen=params.get("seen", ""))

    @post("/backups", status_code=HTTP_303_SEE_OTHER, dependencies=_FOR_ADMINS)
    async def back_up(
        self, request: Request[Any, Any, Any], name: FromPath[str], pages: NamedDependency[BackupPages]
    ) -> Response[Any]:
        form = await read_form_as(request, BackUpForm)
        try:
            await pages.backups.back_up(name, BackUp(), pages.member.email, idempotency_key=form.key or None)
        except KeyBusyError:
            pass  # pressed twice: the first one is making it
        except (InvalidInputError, ConflictError) as error:
            return await pages.overview(name, error=error)
        return _done(name, "backup")

    @get("/bring-back", name="bring-back", dependencies=_FOR_ADMINS)
    async def form(
        self, request: Request[Any, Any, Any], name: FromPath[str], pages: NamedDependency[BackupPages]
    ) -> Template:
        params = request.query_params
        return await pages.form(name, await pages.empty_form(name, params.get("backup", ""), params.get("undo", "")))

    @post("/bring-back", status_code=HTTP_303_SEE_OTHER, dependencies=_FOR_ADMINS)
    async def bring_back(
        self, request: Request[Any, Any, Any], name: FromPath[str], pages: NamedDependency[BackupPages]
    ) -> Response[Any]:
        form = await read_form_as(request, BringBackForm)
        try:
            await pages.bring_back(name, form)
        except KeyBusyError:
            pass  # sent twice: the first one is being carried out
        except (InvalidInputError, ConflictError) as error:
            return await pages.form(name, form, error)
        return _done(name, "restore")


def _done(name: str, what: str) -> Redirect:
    return Redirect(f"{HOME}/{quote(name)}/backups?done={what}", status_code=HTTP_303_SEE_OTHER)


class BackupsController(Controller):
    """The newest of all tenants, behind the staff login."""

    path = BACKUPS
    include_in_schema = False
    dependencies = {"member": Provide(session_staff)}  # noqa: RUF012  Litestar's own declaration

    @get("/", name="all-backups", sync_to_thread=False)
    def table(self, member: NamedDependency[StaffView], backups: NamedDependency[BackupService]) -> Template:
        newest, total = backups.newest()
        context: dict[str, Any] = {
            "shell": shell(member, BACKUPS),
            "lines": operations.lines(newest),
            "counted": operations.counted(len(newest), total, "backups and restores"),
            "no_bucket": backups.no_bucket(),
        }
        return Template("pages/all_backups.html.j2", context=context)
