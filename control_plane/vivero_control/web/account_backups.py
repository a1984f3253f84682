"""The pages on backups of a workspace: what there is, making one, looking at a past second, and going back to it."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from msgspec import Struct
from vivero_web.bodies import read_form_as
from vivero_web.errors import InvalidInputError, WebError

from vivero_control.domain.accounts.backups import BY_HAND_MAX, Past, WorkspaceBackups, left_of
from vivero_control.domain.accounts.deletion import check_confirmed
from vivero_control.lib.idempotency import KeyBusyError
from vivero_control.web import operations
from vivero_control.web.account_shell import BEHIND_THE_LINK, REFUSALS, Portal
from vivero_control.web.site import ACCOUNT
from vivero_control.web.tenant_forms import moment

BACKUPS: Final = f"{ACCOUNT}/backups"
_DONE: Final = {
    "backup": "A backup was asked for. It is complete when it was read back and compared.",
    "look": "The workspace of then is being made. Its address is below once it is open.",
    "place": "The workspace goes back. Nothing is closed before the data of then was compared with its source.",
}
LOOK: Final = "look"
PLACE: Final = "place"


class KeyForm(Struct, kw_only=True):
    """The button: each page that shows it has a key of its own, so that pressed twice it is one backup."""

    key: str = ""


class PastForm(Struct, kw_only=True):
    """The form's fields as typed."""

    moment: str = ""
    backup: str = ""
    into: str = LOOK
    confirm: str = ""
    key: str = ""

    def past(self) -> Past:
        """What was chosen; a backup counts before a second that is still typed.

        Raises:
            InvalidInputError: naming `time`.
        """
        if self.backup:
            return Past(backup=self.backup)
        found = moment(self.moment)
        if found is None:
            raise InvalidInputError.of("time", "Enter a day and a time, such as 2026-11-29 14:05:09.")
        return Past(time=found)


def _query(request: Request[Any, Any, Any]) -> PastForm:
    asked: Mapping[str, str] = request.query_params
    return PastForm(
        moment=asked.get("moment", "")[:40], backup=asked.get("backup", "")[:253], into=asked.get("into", LOOK)
    )


def _page(
    portal: Portal,
    backups: WorkspaceBackups,
    error: WebError | None = None,
    *,
    typed: PastForm | None = None,
    done: str = "",
) -> Template:
    found = backups.overview(portal.visit)
    return portal.page(
        "account_backups",
        "/backups",
        error,
        recovery=backups.recovery(portal.visit),
        under_way=operations.lines(found.under_way),
        backups=operations.lines(found.backups),
        restores=operations.lines(found.restores),
        no_bucket=found.no_bucket,
        left=left_of(found, portal.clock()),
        by_hand_max=BY_HAND_MAX,
        typed=typed or PastForm(),
        key=secrets.token_hex(16),
        done=_DONE.get(done, ""),
        watch=bool(done) or bool(found.under_way),
        refused=error.detail if error else "",
    )


def _preview(portal: Portal, backups: WorkspaceBackups, form: PastForm, error: WebError | None = None) -> Template:
    """What it means to go there, before it is done."""
    kept = {one.name: one.taken_at for one in backups.restorable(portal.visit)}
    since = kept.get(form.backup) if form.backup else moment(form.moment)
    return portal.page(
        "account_back",
        "/backups",
        error,
        form=form,
        since=since,
        lost=_lost(since, portal.clock()),
        slug=portal.visit.tenant.spec.slug or "",
        key=secrets.token_hex(16),
    )


def _lost(since: datetime | None, now: datetime) -> int:
    """Seconds of work that are taken out; 0 where that is not known."""
    return max(0, int((now - since).total_seconds())) if since else 0


class AccountBackupsController(Controller):
    """A manager makes backups and looks at a past second; only the owner goes back to it."""

    path = BACKUPS
    include_in_schema = False
    dependencies = BEHIND_THE_LINK

    @get("/", sync_to_thread=False)
    def page(
        self,
        request: Request[Any, Any, Any],
        portal: NamedDependency[Portal],
        workspace_backups: NamedDependency[WorkspaceBackups],
    ) -> Template:
        return _page(portal, workspace_backups, typed=_query(request), done=request.query_params.get("done", ""))

    @post("/make", status_code=HTTP_303_SEE_OTHER)
    async def make(
        self,
        request: Request[Any, Any, Any],
        portal: NamedDependency[Portal],
        workspace_backups: NamedDependency[WorkspaceBackups],
    ) -> Redirect | Template:
        key = (await read_form_as(request, KeyForm)).key
        try:
            await workspace_backups.back_up(portal.visit, key or secrets.token_hex(16))
        except KeyBusyError:
            pass  # pressed twice: the first one is making it
        except REFUSALS as error:
            return _page(portal, workspace_backups, error)
        return Redirect(f"{BACKUPS}?done=backup", status_code=HTTP_303_SEE_OTHER)

    @get("/back", sync_to_thread=False)
    def preview(
        self,
        request: Request[Any, Any, Any],
        portal: NamedDependency[Portal],
        workspace_backups: NamedDependency[WorkspaceBackups],
    ) -> Template:
        form = _query(request)
        if form.into == PLACE:
            portal.visit.require_owner()
        try:
            workspace_backups.check(portal.visit, form.past())
        except InvalidInputError as error:
            return _page(portal, workspace_backups, error, typed=form)
        return _preview(portal, workspace_backups, form)

    @post("/back", status_code=HTTP_303_SEE_OTHER)
    async def back(
        self,
        request: Request[Any, Any, Any],
        portal: NamedDependency[Portal],
        workspace_backups: NamedDependency[WorkspaceBackups],
    ) -> Redirect | Template:
        form, visit = await read_form_as(request, PastForm), portal.visit
        key = form.key or secrets.token_hex(16)
        try:
            if form.into == PLACE:
                check_confirmed(form.confirm, visit.tenant.spec.slug or "")
                await workspace_backups.go_back(visit, form.past(), key)
            else:
                await workspace_backups.look(visit, form.past(), key)
        except KeyBusyError:
            pass  # sent twice: the first one is being carried out
        except REFUSALS as error:
            return _preview(portal, workspace_backups, form, error)
        return Redirect(f"{BACKUPS}?done={form.into if form.into in _DONE else LOOK}", status_code=HTTP_303_SEE_OTHER)
