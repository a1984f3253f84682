"""The public status page and its feed: how the service is, and was; nothing about a single customer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from xml.etree import ElementTree as ET

from litestar import Controller, MediaType, Response, get
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.response import Template
from msgspec import Struct
from vivero_ui.filters import duration, iso
from vivero_web.errors import UnavailableError

from vivero_control.domain.status.schemas import (
    Component,
    ComponentState,
    ComponentView,
    DayView,
    IncidentState,
    IncidentView,
)
from vivero_control.domain.status.service import FRESH, StatusService
from vivero_control.settings import Settings
from vivero_control.web.presentation import StatusLabel
from vivero_control.web.site import site_page

STATUS_PAGE: Final = "/status"
FEED: Final = f"{STATUS_PAGE}/feed.atom"
_ATOM: Final = "http://www.w3.org/2005/Atom"
_FEED_TYPE: Final = "application/atom+xml; charset=utf-8"
KEPT: Final = CacheControlHeader(max_age=FRESH.seconds, public=True)
BAR_HEIGHT: Final = 32
_MINUTE: Final = 60

COMPONENTS: Final = {
    Component.SIGNUP: ("Signup", "The form, and how long a new workspace waits to be built"),
    Component.WORKSPACES: ("Workspaces", "Whether they answer at their addresses"),
    Component.API: ("API", "The interface for programs of this site; that of a workspace is part of the workspace"),
    Component.PAYMENTS: ("Payments", "Whether the payment provider answers"),
    Component.BACKUPS: ("Backups", "Whether the archives of workspaces go on and were proven"),
}
STATES: Final = {
    ComponentState.OPERATIONAL: StatusLabel("Operational", "success"),
    ComponentState.DEGRADED: StatusLabel("Degraded", "warning"),
    ComponentState.OUTAGE: StatusLabel("Outage", "error"),
    ComponentState.NOT_MEASURED: StatusLabel("Not measured", "neutral"),
}
HEADLINES: Final = {
    ComponentState.OPERATIONAL: "All of it works",
    ComponentState.DEGRADED: "Some of it does not work as it should",
    ComponentState.OUTAGE: "Some of it does not work",
    ComponentState.NOT_MEASURED: "Not all of it is measured at the moment",
}
INCIDENT_STATES: Final = {
    IncidentState.INVESTIGATING: StatusLabel("Investigating", "error"),
    IncidentState.IDENTIFIED: StatusLabel("Identified", "warning"),
    IncidentState.MONITORING: StatusLabel("Monitoring", "info"),
    IncidentState.RESOLVED: StatusLabel("Resolved", "success"),
    IncidentState.PLANNED: StatusLabel("Planned", "info"),
    IncidentState.UNDER_WAY: StatusLabel("Under way", "warning"),
    IncidentState.COMPLETED: StatusLabel("Completed", "success"),
}


class Bar(Struct, frozen=True, kw_only=True):
    """A day as a bar: its measured part in the day's colour, the rest left empty."""

    x: int
    kind: str
    height: int
    title: str


class ComponentLine(Struct, frozen=True, kw_only=True):
    """A component with the words for it."""

    name: str
    what: str
    label: StatusLabel
    measured_at: datetime
    uptime: str
    bars: tuple[Bar, ...]
    told: tuple[DayView, ...]
    """Days that were not plainly well from beginning to end, the newest first."""


def component_line(view: ComponentView) -> ComponentLine:
    name, what = COMPONENTS[view.component]
    return ComponentLine(
        name=name,
        what=what,
        label=STATES[view.state],
        measured_at=view.measured_at,
        uptime=percent(view.uptime),
        bars=tuple(_bar(at, day) for at, day in enumerate(view.days)),
        told=tuple(day for day in reversed(view.days) if day.degraded or day.outage or day.not_measured > 1),
    )


def percent(share: float | None) -> str:
    """Cut and not rounded: what is not whole is not shown as whole."""
    return "not known" if share is None else f"{int(share * 10_000) / 100:.2f} %"


def day_words(day: DayView) -> str:
    """What a day was, in one line."""
    parts = [
        (day.outage, "outage"),
        (day.degraded, "degraded"),
        (day.not_measured if day.not_measured > 1 else 0, "not measured"),
    ]
    said = ", ".join(f"{duration(minutes * _MINUTE)} {words}" for minutes, words in parts if minutes)
    return f"{day.day:%-d %b %Y}: {said or 'no outage'}"


def _bar(at: int, day: DayView) -> Bar:
    measured = day.operational + day.degraded + day.outage
    share = measured / max(measured + day.not_measured, 1)
    return Bar(x=at, kind=STATES[day.state].kind, height=round(BAR_HEIGHT * share), title=day_words(day))


def feed(incidents: Sequence[IncidentView], read_at: datetime, origin: str) -> bytes:
    """Incidents as an Atom feed (RFC 4287): one entry each, which changes with what is said; without any, of `read_at`."""
    ET.register_namespace("", _ATOM)
    root = ET.Element(_tag("feed"))
    _text(root, "id", f"{origin}{STATUS_PAGE}")
    _text(root, "title", "Vivero status")
    _text(root, "updated", iso(max(map(_last_said, incidents), default=read_at)))
    ET.SubElement(_text(root, "author", ""), _tag("name")).text = "Vivero"
    _link(root, f"{origin}{FEED}", "self")
    _link(root, f"{origin}{STATUS_PAGE}", "alternate")
    for one in incidents:
        _entry(root, one, origin)
    made: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return made


def _entry(root: ET.Element, incident: IncidentView, origin: str) -> None:
    address = f"{origin}{STATUS_PAGE}#incident-{incident.id}"
    entry = ET.SubElement(root, _tag("entry"))
    _text(entry, "id", address)
    _text(entry, "title", f"{INCIDENT_STATES[incident.state].words}: {incident.title}")
    _text(entry, "updated", iso(_last_said(incident)))
    _text(entry, "published", iso(incident.updates[-1].at if incident.updates else incident.begins_at))
    _link(entry, address, "alternate")
    said = [f"{iso(one.at)} {INCIDENT_STATES[one.state].words}: {one.text}" for one in incident.updates]
    _text(entry, "content", "\n\n".join(said)).set("type", "text")


def _last_said(incident: IncidentView) -> datetime:
    return incident.updates[0].at if incident.updates else incident.begins_at


def _tag(name: str) -> str:
    return f"{{{_ATOM}}}{name}"


def _text(parent: ET.Element, name: str, text: str) -> ET.Element:
    made = ET.SubElement(parent, _tag(name))
    made.text = text
    return made


def _link(parent: ET.Element, address: str, relation: str) -> None:
    ET.SubElement(parent, _tag("link"), {"href": address, "rel": relation})


def names_of(components: Sequence[Component]) -> str:
    return ", ".join(COMPONENTS[one][0] for one in components)


class StatusPageController(Controller):
    """Without a login, and without the database if need be."""

    path = STATUS_PAGE
    include_in_schema = False

    @get("/", name="status", cache_control=KEPT)
    async def show(self, status: NamedDependency[StatusService], settings: NamedDependency[Settings]) -> Template:
        view = await status.view()
        context: dict[str, Any] = {
            "view": view,
            "headline": HEADLINES[view.state],
            "label": STATES[view.state],
            "lines": [component_line(one) for one in view.components],
            "open": [one for one in view.incidents if one.is_open],
            "past": [one for one in view.incidents if not one.is_open],
            "incident_states": INCIDENT_STATES,
            "names_of": names_of,
            "feed": FEED,
        }
        return site_page("status", settings, **context)

    @get("/feed.atom", cache_control=KEPT, media_type=MediaType.XML)
    async def atom(
        self, status: NamedDependency[StatusService], settings: NamedDependency[Settings]
    ) -> Response[bytes]:
        """Readers keep what they have when there is no answer, so nothing is made up for them."""
        view = await status.view()
        if view.read_at is None:
            raise UnavailableError
        return Response(feed(view.incidents, view.read_at, settings.origin), media_type=_FEED_TYPE)
