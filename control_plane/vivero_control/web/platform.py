"""The staff's page about the platform's own backup."""

from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK, HTTP_303_SEE_OTHER
from msgspec import Struct
from vivero_web.bodies import read_form_as
from vivero_web.errors import ConflictError, InvalidInputError, WebError

from vivero_control.domain.backups.schemas import BackUp
from vivero_control.domain.platform.service import (
    PlatformBackupNotFoundError,
    PlatformBackups,
    PlatformBackupView,
    PlatformState,
)
from vivero_control.domain.staff.guards import session_operator, session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.web import operations
from vivero_control.web.presentation import StatusLabel
from vivero_control.web.staff_shell import PLATFORM, shell

DONE: Final = "A dump was asked for. It is complete when it was read back, and a proof follows it."
STATES: Final = {
    PlatformState.RECOVERABLE: StatusLabel("Can be rebuilt", "success"),
    PlatformState.RUNNING: StatusLabel("Being set up", "info"),
    PlatformState.NOT_RECOVERABLE: StatusLabel("Cannot be rebuilt", "error"),
    PlatformState.NOT_CONFIGURED: StatusLabel("Not set up", "warning"),
    PlatformState.PAUSED: StatusLabel("Paused", "neutral"),
}
_TAKES_NO_ORDERS: Final = frozenset({PlatformState.NOT_CONFIGURED, PlatformState.PAUSED})


class DumpForm(Struct, kw_only=True):
    """The button; there is nothing to fill in."""


async def _page(
    platform: PlatformBackups, member: StaffView, *, done: bool = False, error: WebError | None = None
) -> Template:
    found: PlatformBackupView | None = None
    try:
        found = await platform.get()
        said = found.message
    except (PlatformBackupNotFoundError, ConflictError) as missing:
        said = missing.detail
    is_admin = member.role == "admin"
    context: dict[str, Any] = {
        "shell": shell(member, PLATFORM),
        "here": PLATFORM,
        "backup": found,
        "said": said,
        "label": STATES[found.state] if found else None,
        "proofs": operations.PROOFS,
        "is_admin": is_admin,
        "may_order": found is not None and is_admin and not found.dumping and found.state not in _TAKES_NO_ORDERS,
        "done": DONE if done else "",
        "problem": error.detail if error else "",
        "watch": done or (found is not None and (found.dumping or found.state is PlatformState.RUNNING)),
    }
    return Template("pages/platform.html.j2", context=context, status_code=error.status if error else HTTP_200_OK)


class PlatformController(Controller):
    """Behind the staff login; orders are for admins."""

    path = PLATFORM
    include_in_schema = False

    @get("/", name="platform", dependencies={"member": Provide(session_staff)})
    async def show(
        self,
        request: Request[Any, Any, Any],
        member: NamedDependency[StaffView],
        platform: NamedDependency[PlatformBackups],
    ) -> Template:
        return await _page(platform, member, done=request.query_params.get("done") == "dump")

    @post("/dumps", status_code=HTTP_303_SEE_OTHER, dependencies={"member": Provide(session_operator)})
    async def dump(
        self,
        request: Request[Any, Any, Any],
        member: NamedDependency[StaffView],
        platform: NamedDependency[PlatformBackups],
    ) -> Response[Any]:
        await read_form_as(request, DumpForm)
        try:
            await platform.back_up(BackUp(), member.email)
        except (InvalidInputError, ConflictError) as error:
            return await _page(platform, member, error=error)
        return Redirect(f"{PLATFORM}?done=dump", status_code=HTTP_303_SEE_OTHER)
