"""The staff's pages about webhooks: the list, making one, and the page of one with its log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK, HTTP_303_SEE_OTHER
from vivero_web.bodies import read_form
from vivero_web.errors import ConflictError, InvalidInputError, WebError
from vivero_web.webhook_sender import URL_MAX

from vivero_control.domain.staff.guards import session_connector
from vivero_control.domain.staff.schemas import StaffView
from vivero_control.domain.webhooks.schemas import (
    KEEP_EVENTS,
    OLD_SECRET_FOR,
    EndpointChanges,
    EventType,
    NewEndpoint,
)
from vivero_control.domain.webhooks.service import WebhookService
from vivero_control.web.staff_shell import WEBHOOKS, shell

LABELS: Final = {
    EventType.CREATED: "A tenant is created",
    EventType.READY: "It works for the first time",
    EventType.SUSPENDED: "It is suspended",
    EventType.RESUMED: "It is open again",
    EventType.DELETED: "It is deleted",
    EventType.PLAN_CHANGED: "Its plan changes",
    EventType.TRIAL_ENDED: "Its trial ends",
    EventType.PAYMENT_FAILED: "A payment fails",
    EventType.PAID: "An invoice is paid",
}
DONE: Final = {
    "saved": "The webhook is saved.",
    "deleted": "The webhook is deleted. Nothing more is sent there.",
    "again": "The message is sent again. Its attempt appears in the log.",
}
PAGE: Final = 25
"""Attempts on a page."""
_FORM_ERRORS: Final = (InvalidInputError, ConflictError)


def _box(event: EventType) -> str:
    """The name of its checkbox: no dot, which a name of an element is better without."""
    return f"event-{event.removeprefix('tenant.')}"


def chosen_events(typed: Mapping[str, str]) -> tuple[EventType, ...]:
    """What was ticked. Raises InvalidInputError naming `events`: nothing was."""
    events = tuple(one for one in EventType if _box(one) in typed)
    if not events:
        raise InvalidInputError.of("events", "Choose at least one.")
    return events


def _typed_of(url: str, events: tuple[EventType, ...]) -> dict[str, str]:
    return {"url": url, **{_box(one): "true" for one in events}}


@dataclass(frozen=True, slots=True)
class WebhookPages:
    """What the pages need; Litestar makes it from the services it names."""

    webhooks: NamedDependency[WebhookService]
    member: NamedDependency[StaffView]

    def show(self, page: str, error: WebError | None = None, **context: object) -> Template:
        errors = error.by_field if error else {}
        given: dict[str, Any] = {
            "shell": shell(self.member, WEBHOOKS),
            "here": WEBHOOKS,
            "labels": LABELS,
            "boxes": [(_box(one), words) for one, words in LABELS.items()],
            "url_max": URL_MAX,
            "kept_days": KEEP_EVENTS.days,
            "both_hours": OLD_SECRET_FOR // timedelta(hours=1),
            "errors": errors,
            "problem": error.detail if error and not errors else "",
            **context,
        }
        return Template(f"pages/{page}.html.j2", context=given, status_code=error.status if error else HTTP_200_OK)

    async def one(
        self,
        number: int,
        query: Mapping[str, str] = {},
        typed: Mapping[str, str] | None = None,
        error: WebError | None = None,
    ) -> Template:
        found = await self.webhooks.get(number)
        log = await self.webhooks.attempts(number, query.get("cursor", ""), PAGE)
        return self.show(
            "webhook",
            error,
            webhook=found,
            typed=_typed_of(found.url, found.events) if typed is None else typed,
            attempts=log.items,
            newest_href=f"{WEBHOOKS}/{number}" if "cursor" in query else "",
            next_href=f"{WEBHOOKS}/{number}?cursor={log.next_cursor}" if log.next_cursor else "",
            done=DONE.get(query.get("done", ""), ""),
        )


class WebhooksController(Controller):
    """Behind the staff login, for admins."""

    path = WEBHOOKS
    include_in_schema = False
    dependencies = {  # noqa: RUF012  Litestar's own declaration
        "member": Provide(session_connector),
        "shown": Provide(WebhookPages, sync_to_thread=False),
    }

    @get("/")
    async def listed(self, request: Request[Any, Any, Any], shown: NamedDependency[WebhookPages]) -> Template:
        """All of them on one page: there are no more than a few."""
        found = (await shown.webhooks.all()).items
        return shown.show("webhooks", webhooks=found, done=DONE.get(request.query_params.get("done", ""), ""))

    @get("/new", sync_to_thread=False)
    def new_page(self, shown: NamedDependency[WebhookPages]) -> Template:
        return shown.show("webhook_new", typed=_typed_of("", tuple(EventType)))

    @post("/new", status_code=HTTP_200_OK)
    async def make(self, request: Request[Any, Any, Any], shown: NamedDependency[WebhookPages]) -> Template:
        """Answers with the secret itself: no address leads to it again."""
        typed = await read_form(request)
        try:
            new = NewEndpoint(url=typed.get("url", "").strip(), events=chosen_events(typed))
            made = await shown.webhooks.make(new, shown.member.email)
        except _FORM_ERRORS as error:
            return shown.show("webhook_new", error, typed=typed)
        return shown.show("webhook_secret", webhook=made)

    @get("/{number:int}")
    async def page(
        self, request: Request[Any, Any, Any], number: FromPath[int], shown: NamedDependency[WebhookPages]
    ) -> Template:
        return await shown.one(number, request.query_params)

    @post("/{number:int}", status_code=HTTP_303_SEE_OTHER)
    async def change(
        self, request: Request[Any, Any, Any], number: FromPath[int], shown: NamedDependency[WebhookPages]
    ) -> Response[Any]:
        """Another address and other events, or on and off."""
        typed = await read_form(request)
        try:
            if "active" in typed:
                changes = EndpointChanges(active=typed["active"] == "true")
            else:
                changes = EndpointChanges(url=typed.get("url", "").strip(), events=chosen_events(typed))
            await shown.webhooks.change(number, changes, shown.member.email)
        except InvalidInputError as error:
            return await shown.one(number, typed=typed, error=error)
        return Redirect(f"{WEBHOOKS}/{number}?done=saved", status_code=HTTP_303_SEE_OTHER)

    @post("/{number:int}/secret", status_code=HTTP_200_OK)
    async def rotate(self, number: FromPath[int], shown: NamedDependency[WebhookPages]) -> Template:
        """As `make`."""
        return shown.show("webhook_secret", webhook=await shown.webhooks.rotate(number, shown.member.email))

    @post("/{number:int}/resend", status_code=HTTP_303_SEE_OTHER)
    async def resend(
        self, request: Request[Any, Any, Any], number: FromPath[int], shown: NamedDependency[WebhookPages]
    ) -> Response[Any]:
        message = (await read_form(request)).get("message", "")
        try:
            await shown.webhooks.resend(number, message, shown.member.email)
        except ConflictError as error:
            return await shown.one(number, error=error)
        return Redirect(f"{WEBHOOKS}/{number}?done=again", status_code=HTTP_303_SEE_OTHER)

    @post("/{number:int}/delete", status_code=HTTP_303_SEE_OTHER)
    async def delete(self, number: FromPath[int], shown: NamedDependency[WebhookPages]) -> Redirect:
        await shown.webhooks.delete(number, shown.member.email)
        return Redirect(f"{WEBHOOKS}?done=deleted", status_code=HTTP_303_SEE_OTHER)
