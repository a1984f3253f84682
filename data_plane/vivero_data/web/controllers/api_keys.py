"""The user's API keys: the list, making one, and the page of one."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from vivero_web.api_keys import (
    DAYS_OFFERED,
    DEFAULT_DAYS,
    DEFAULT_OVERLAP_HOURS,
    OVERLAPS_OFFERED,
    ApiKeyChanges,
    chosen_days,
    chosen_rotation,
    options,
)
from vivero_web.bodies import read_form
from vivero_web.errors import WebError

from vivero_data.domain.api_keys.schemas import ApiKey, CreatedApiKey, NewApiKey, Scope
from vivero_data.domain.api_keys.service import ApiKeyService, scopes_open_to
from vivero_data.lib.pages import MAX_LIMIT
from vivero_data.web.forms import FORM_ERRORS, field_errors
from vivero_data.web.page import Visit, done, show
from vivero_data.web.render import Html

KEYS: Final = "/account/keys"
SCOPE_LABELS: Final = {
    Scope.READ: ("Read", "Collections, records and files. Every key may."),
    Scope.WRITE_RECORDS: ("Change records", "Add, change and delete records."),
    Scope.WRITE_FILES: ("Change files", "Upload and delete files."),
    Scope.MANAGE_COLLECTIONS: ("Manage collections", "Make, change and delete collections and their fields."),
    Scope.READ_AUDIT_LOG: ("Read the audit log", "Who changed what, and when."),
}


@get(KEYS)
async def key_list(visit: NamedDependency[Visit], api_keys: NamedDependency[ApiKeyService]) -> Html:
    """All of them on one page: nobody has more."""
    keys = (await api_keys.list(visit.actor, MAX_LIMIT)).items
    return show(visit, "account/keys.html.j2", {"keys": keys, "scope_labels": SCOPE_LABELS})


@get(f"{KEYS}/new")
async def new_key(visit: NamedDependency[Visit]) -> Html:
    return _new(visit, {"valid_days": str(DEFAULT_DAYS)})


@post(f"{KEYS}/new")
async def create_key(
    request: Request[Any, Any, Any], visit: NamedDependency[Visit], api_keys: NamedDependency[ApiKeyService]
) -> Response[Any]:
    """Answers with the secret itself: no address leads to it again."""
    form = await read_form(request)
    scopes = [scope for scope in scopes_open_to(visit.actor) if f"scope-{scope}" in form]
    new = NewApiKey(form.get("name", ""), scopes, chosen_days(form))
    try:
        return _secret(visit, await api_keys.create(visit.actor, new))
    except FORM_ERRORS as error:
        return _new(visit, form, error)


@get(f"{KEYS}/{{key_id:int}}")
async def key_page(
    visit: NamedDependency[Visit], api_keys: NamedDependency[ApiKeyService], key_id: FromPath[int]
) -> Html:
    return _key(visit, await api_keys.get(visit.actor, key_id))


@post(f"{KEYS}/{{key_id:int}}")
async def rename_key(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    api_keys: NamedDependency[ApiKeyService],
    key_id: FromPath[int],
) -> Response[Any]:
    name = (await read_form(request)).get("name", "")
    try:
        await api_keys.change(visit.actor, key_id, ApiKeyChanges(name))
    except FORM_ERRORS as error:
        return _key(visit, await api_keys.get(visit.actor, key_id), name, error)
    return done(KEYS, "key-saved")


@post(f"{KEYS}/{{key_id:int}}/rotate")
async def rotate_key(
    request: Request[Any, Any, Any],
    visit: NamedDependency[Visit],
    api_keys: NamedDependency[ApiKeyService],
    key_id: FromPath[int],
) -> Html:
    """Answers with the secret, as the making of a key does."""
    rotation = chosen_rotation(await read_form(request))
    return _secret(visit, await api_keys.rotate(visit.actor, key_id, rotation))


@post(f"{KEYS}/{{key_id:int}}/revoke")
async def revoke_key(
    visit: NamedDependency[Visit], api_keys: NamedDependency[ApiKeyService], key_id: FromPath[int]
) -> Response[Any]:
    await api_keys.delete(visit.actor, key_id)
    return done(KEYS, "key-revoked")


def _new(visit: Visit, form: Mapping[str, str], problem: WebError | None = None) -> Html:
    allowed = scopes_open_to(visit.actor)
    context = {
        "form": {"name": "", **form},
        "scopes": [(scope, *words) for scope, words in SCOPE_LABELS.items() if scope in allowed],
        "days": options(DAYS_OFFERED),
        **_problem(problem),
    }
    return show(visit, "account/new_key.html.j2", context, status=problem.status if problem else 200)


def _key(visit: Visit, key: ApiKey, name: str | None = None, problem: WebError | None = None) -> Html:
    context = {
        "key": key,
        "name": key.name if name is None else name,
        "scope_labels": SCOPE_LABELS,
        "overlaps": options(OVERLAPS_OFFERED),
        "overlap": str(DEFAULT_OVERLAP_HOURS),
        **_problem(problem),
    }
    return show(visit, "account/key.html.j2", context, status=problem.status if problem else 200)


def _secret(visit: Visit, key: CreatedApiKey) -> Html:
    return show(visit, "account/key_secret.html.j2", {"key": key})


def _problem(problem: WebError | None) -> dict[str, Any]:
    return {"problem": problem, "errors": field_errors(problem) if problem else {}}
