"""Webhooks: the list, making one, and the page of one with its attempts."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from vivero_web.bodies import read_form
from vivero_web.errors import InvalidInputError, WebError

from vivero_data.domain.collections.service import CollectionService
from vivero_data.domain.users.schemas import Permission
from vivero_data.domain.webhooks.schemas import CreatedWebhook, Event, NewWebhook, WebhookChanges
from vivero_data.domain.webhooks.service import WebhookService
from vivero_data.lib.pages import MAX_LIMIT
from vivero_data.web.forms import FORM_ERRORS, field_errors
from vivero_data.web.listing import address, page_links
from vivero_data.web.page import Visit, done, require, show
from vivero_data.web.render import Html

HOOKS: Final = "/webhooks"
EVENT_LABELS: Final = {
    Event.CREATED: "A record is made",
    Event.UPDATED: "A record is changed",
    Event.DELETED: "A record is deleted",
}
_MANAGE: Final = "manage webhooks"

AnyRequest = Request[Any, Any, Any]


@get(HOOKS)
async def webhook_list(visit: NamedDependency[Visit], webhooks: NamedDependency[WebhookService]) -> Html:
    """All of them on one page: there are no more."""
    require(visit, Permission.MANAGE_COLLECTIONS, _MANAGE)
    found = (await webhooks.list(visit.actor, MAX_LIMIT)).items
    return show(visit, "webhooks/list.html.j2", {"webhooks": found, "event_labels": EVENT_LABELS})


@get(f"{HOOKS}/new")
async def new_webhook(visit: NamedDependency[Visit], collections: NamedDependency[CollectionService]) -> Html:
    require(visit, Permission.MANAGE_COLLECTIONS, _MANAGE)
    return await _new(visit, collections, {f"event-{event}": "true" for event in Event})


@post(f"{HOOKS}/new")
async def create_webhook(
    request: AnyRequest,
    visit: NamedDependency[Visit],
    webhooks: NamedDependency[WebhookService],
    collections: NamedDependency[CollectionService],
) -> Response[Any]:
    """Answers with the secret itself: no address leads to it again."""
    require(visit, Permission.MANAGE_COLLECTIONS, _MANAGE)
    form = await read_form(request)
    try:
        new = NewWebhook(form.get("url", "").strip(), _events(form), form.get("collection") or None)
        return _secret(visit, await webhooks.create(visit.actor, new))
    except FORM_ERRORS as error:
        return await _new(visit, collections, form, error)


@get(f"{HOOKS}/{{webhook_id:int}}")
async def webhook_page(
    request: AnyRequest,
    visit: NamedDependency[Visit],
    webhooks: NamedDependency[WebhookService],
    webhook_id: FromPath[int],
) -> Html:
    require(visit, Permission.MANAGE_COLLECTIONS, _MANAGE)
    return await _webhook(request, visit, webhooks, webhook_id)


@post(f"{HOOKS}/{{webhook_id:int}}")
async def change_webhook(
    request: AnyRequest,
    visit: NamedDependency[Visit],
    webhooks: NamedDependency[WebhookService],
    webhook_id: FromPath[int],
) -> Response[Any]:
    """Another address and other events, or on and off."""
    require(visit, Permission.MANAGE_COLLECTIONS, _MANAGE)
    form = await read_form(request)
    try:
        if "active" in form:
            changes = WebhookChanges(active=form["active"] == "true")
        else:
            changes = WebhookChanges(url=form.get("url", "").strip(), events=_events(form))
        await webhooks.change(visit.actor, webhook_id, changes)
    except FORM_ERRORS as error:
        return await _webhook(request, visit, webhooks, webhook_id, form, error)
    return done(f"{HOOKS}/{webhook_id}", "webhook-saved")


@post(f"{HOOKS}/{{webhook_id:int}}/secret")
async def renew_webhook_secret(
    visit: NamedDependency[Visit], webhooks: NamedDependency[WebhookService], webhook_id: FromPath[int]
) -> Html:
    require(visit, Permission.MANAGE_COLLECTIONS, _MANAGE)
    return _secret(visit, await webhooks.renew_secret(visit.actor, webhook_id))


@post(f"{HOOKS}/{{webhook_id:int}}/delete")
async def delete_webhook(
    visit: NamedDependency[Visit], webhooks: NamedDependency[WebhookService], webhook_id: FromPath[int]
) -> Response[Any]:
    require(visit, Permission.MANAGE_COLLECTIONS, _MANAGE)
    await webhooks.delete(visit.actor, webhook_id)
    return done(HOOKS, "webhook-deleted")


def _events(form: Mapping[str, str]) -> list[Event]:
    """What was ticked.

    Raises:
        InvalidInputError: nothing was.
    """
    events = [event for event in Event if f"event-{event}" in form]
    if not events:
        raise InvalidInputError.of("events", "Choose at least one.")
    return events


async def _new(
    visit: Visit, collections: CollectionService, form: Mapping[str, str], problem: WebError | None = None
) -> Html:
    names = [one.name for one in await collections.list(visit.actor)]
    context = {
        "form": form,
        "collections": [("", "All collections"), *((name, name) for name in names)],
        "event_labels": EVENT_LABELS,
        **_problem(problem),
    }
    return show(visit, "webhooks/new.html.j2", context, status=problem.status if problem else 200)


async def _webhook(  # noqa: PLR0913, PLR0917  one place composes the page in all its states
    request: AnyRequest,
    visit: Visit,
    webhooks: WebhookService,
    webhook_id: int,
    form: Mapping[str, str] | None = None,
    problem: WebError | None = None,
) -> Html:
    here = address(f"{HOOKS}/{webhook_id}", request.query_params.multi_items(), "cursor", "back")
    webhook = await webhooks.get(visit.actor, webhook_id)
    page = await webhooks.attempts(visit.actor, webhook_id, cursor=here.get("cursor") or None)
    stored = {"url": webhook.url, **{f"event-{event}": "true" for event in webhook.events}}
    context = {
        "webhook": webhook,
        "form": stored if form is None or "active" in form else form,
        "attempts": page.items,
        "page_links": page_links(here, page.next_cursor),
        "event_labels": EVENT_LABELS,
        **_problem(problem),
    }
    return show(visit, "webhooks/show.html.j2", context, status=problem.status if problem else 200)


def _secret(visit: Visit, webhook: CreatedWebhook) -> Html:
    return show(visit, "webhooks/secret.html.j2", {"webhook": webhook})


def _problem(problem: WebError | None) -> dict[str, Any]:
    return {"problem": problem, "errors": field_errors(problem) if problem else {}}
