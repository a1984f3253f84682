"""The console's page of all that happened to one tenant."""

from typing import Any, Final
from urllib.parse import quote

from litestar import Controller, Request, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Template
from msgspec import Struct
from vivero_ui.filters import with_query
from vivero_web.errors import InvalidInputError

from vivero_control.domain.staff.guards import session_staff
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.tenants.service import TenantService
from vivero_control.domain.timeline.schemas import Kind, TimelineItem
from vivero_control.domain.timeline.service import TimelineService
from vivero_control.web.presentation import Kind as Colour
from vivero_control.web.presentation import StatusLabel
from vivero_control.web.staff_shell import HOME, shell

PAGE: Final = 50
KINDS: Final = {
    Kind.ACT: "Order or change",
    Kind.MAIL: "Mail",
    Kind.JOB: "Job",
    Kind.WEBHOOK: "Payment provider",
    Kind.INVOICE: "Invoice",
    Kind.BACKUP: "Backup or restore",
    Kind.STATE: "Condition",
    Kind.PROGRESS: "Progress",
}
_COLOURS: Final[dict[str, Colour]] = {
    **dict.fromkeys(("done", "sent", "paid", "complete"), "success"),
    **dict.fromkeys(("failed", "refused", "uncollectible"), "error"),
    **dict.fromkeys(("queued", "waiting", "running", "intended", "open", "paused"), "info"),
}


class TimelineLine(Struct, frozen=True):
    """One entry, for the table."""

    item: TimelineItem
    kind: str
    state: StatusLabel


def line(item: TimelineItem) -> TimelineLine:
    """A condition's reason is one word with capitals, which stay."""
    words, colour = item.state[:1].upper() + item.state[1:], _COLOURS.get(item.state, "neutral")
    return TimelineLine(item, KINDS[item.kind], StatusLabel(words, colour))


class TenantTimelineController(Controller):
    """Behind the staff login."""

    path = f"{HOME}/{{name:str}}/timeline"
    include_in_schema = False
    dependencies = {"member": Provide(session_staff)}  # noqa: RUF012  Litestar's own declaration

    @get("/")
    async def page(
        self,
        request: Request[Any, Any, Any],
        name: FromPath[str],
        member: NamedDependency[StaffView],
        tenants: NamedDependency[TenantService],
        timeline: NamedDependency[TimelineService],
    ) -> Template:
        """Anything unknown in the address is ignored, not refused: addresses are shared."""
        detail, params = await tenants.get(name), request.query_params
        kind = Kind(params["kind"]) if params.get("kind") in set(Kind) else None
        cursor = params.get("cursor", "")
        try:
            found = await timeline.page(name, kind, cursor, PAGE)
        except InvalidInputError:  # an address that was shortened
            cursor, found = "", await timeline.page(name, kind, "", PAGE)
        address = str(request.url.with_replacements(scheme="", netloc=""))
        context: dict[str, Any] = {
            "shell": shell(member),
            "row": detail.tenant,
            "here": f"{HOME}/{quote(name)}",
            "lines": [line(one) for one in found.items],
            "kind": kind or "",
            "kinds": [(one.value, words) for one, words in KINDS.items()],
            "newest_href": with_query(address, {"cursor": None}) if cursor else "",
            "next_href": with_query(address, {"cursor": found.next_cursor}) if found.next_cursor else "",
        }
        return Template("pages/tenant_timeline.html.j2", context=context)
