"""Roles of the workspace's own: the list, a matrix of what one may do with each collection, and its limits inside one."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from vivero_web.bodies import read_form
from vivero_web.errors import NotFoundError, WebError

from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.collections.service import CollectionService
from vivero_data.domain.field_types.kind import Operator
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records.filters import Condition, as_json
from vivero_data.domain.roles.rights import Right
from vivero_data.domain.roles.schemas import NewRole, RoleChanges, RoleRule, WorkspaceRole
from vivero_data.domain.roles.service import RoleService
from vivero_data.domain.users.schemas import Permission
from vivero_data.domain.views.service import ViewService
from vivero_data.lib.pages import MAX_LIMIT
from vivero_data.web.forms import FORM_ERRORS, field_errors
from vivero_data.web.page import Visit, done, require, show
from vivero_data.web.render import Html

ROLES: Final = "/roles"
_MANAGE: Final = "manage roles"
_READ: Final = "read"
_HIDDEN: Final = "hidden"
_READ_ONLY: Final = "read_only"
FIELD_CHOICES: Final = (("", "Sees and changes"), (_READ_ONLY, "Sees only"), (_HIDDEN, "Does not see"))
COLUMNS: Final = (
    (_READ, "See"),
    (Right.CREATE, "Add"),
    (Right.CHANGE, "Change"),
    (Right.DELETE, "Delete"),
    (Right.EXPORT, "Export"),
)
"""Of the matrix."""

AnyRequest = Request[Any, Any, Any]


class Choice(msgspec.Struct, frozen=True):
    """Records that a role may be limited to, in words and as a condition."""

    words: str
    where: dict[str, Any] | None


@get(ROLES)
async def role_list(visit: NamedDependency[Visit], roles: NamedDependency[RoleService]) -> Html:
    """All of them on one page: there are no more."""
    require(visit, Permission.MANAGE_USERS, _MANAGE)
    return show(visit, "roles/list.html.j2", {"roles": (await roles.list(visit.actor, MAX_LIMIT)).items})


@get(f"{ROLES}/new")
async def new_role(visit: NamedDependency[Visit], collections: NamedDependency[CollectionService]) -> Html:
    require(visit, Permission.MANAGE_USERS, _MANAGE)
    return _form(visit, await collections.list(visit.actor), {})


@post(f"{ROLES}/new")
async def create_role(
    request: AnyRequest,
    visit: NamedDependency[Visit],
    roles: NamedDependency[RoleService],
    collections: NamedDependency[CollectionService],
) -> Response[Any]:
    require(visit, Permission.MANAGE_USERS, _MANAGE)
    form, every = await read_form(request), await collections.list(visit.actor)
    try:
        await roles.create(visit.actor, NewRole(form.get("name", ""), "files" in form, rules_in(form, every)))
    except FORM_ERRORS as error:
        return _form(visit, every, form, problem=error)
    return done(ROLES, "role-created")


@get(f"{ROLES}/{{role_id:int}}")
async def role_page(
    visit: NamedDependency[Visit],
    roles: NamedDependency[RoleService],
    collections: NamedDependency[CollectionService],
    role_id: FromPath[int],
) -> Html:
    require(visit, Permission.MANAGE_USERS, _MANAGE)
    role, every = await roles.get(visit.actor, role_id), await collections.list(visit.actor)
    return _form(visit, every, form_of(role, every), role)


@post(f"{ROLES}/{{role_id:int}}")
async def change_role(
    request: AnyRequest,
    visit: NamedDependency[Visit],
    roles: NamedDependency[RoleService],
    collections: NamedDependency[CollectionService],
    role_id: FromPath[int],
) -> Response[Any]:
    require(visit, Permission.MANAGE_USERS, _MANAGE)
    form, every = await read_form(request), await collections.list(visit.actor)
    role = await roles.get(visit.actor, role_id)
    changes = RoleChanges(form.get("name", ""), "files" in form, rules_in(form, every, role.collections))
    try:
        await roles.change(visit.actor, role_id, changes)
    except FORM_ERRORS as error:
        return _form(visit, every, form, role, problem=error)
    return done(ROLES, "role-saved")


@post(f"{ROLES}/{{role_id:int}}/delete")
async def delete_role(
    visit: NamedDependency[Visit],
    roles: NamedDependency[RoleService],
    collections: NamedDependency[CollectionService],
    role_id: FromPath[int],
) -> Response[Any]:
    require(visit, Permission.MANAGE_USERS, _MANAGE)
    try:
        await roles.delete(visit.actor, role_id)
    except FORM_ERRORS as error:
        role, every = await roles.get(visit.actor, role_id), await collections.list(visit.actor)
        return _form(visit, every, form_of(role, every), role, error)
    return done(ROLES, "role-deleted")


@get(f"{ROLES}/{{role_id:int}}/collections/{{collection_id:int}}")
async def limits_page(  # noqa: PLR0913, PLR0917  who, which and the services
    visit: NamedDependency[Visit],
    roles: NamedDependency[RoleService],
    collections: NamedDependency[CollectionService],
    views: NamedDependency[ViewService],
    role_id: FromPath[int],
    collection_id: FromPath[int],
) -> Html:
    """The fields and records of one collection that there are for a role."""
    require(visit, Permission.MANAGE_USERS, _MANAGE)
    role, collection = await roles.get(visit.actor, role_id), await _collection(visit, collections, collection_id)
    rule = _rule(role, collection)
    return _limits(visit, role, collection, rule, await choices_of(visit, views, collection, rule))


@post(f"{ROLES}/{{role_id:int}}/collections/{{collection_id:int}}")
async def change_limits(  # noqa: PLR0913, PLR0917  who, the form and the services
    request: AnyRequest,
    visit: NamedDependency[Visit],
    roles: NamedDependency[RoleService],
    collections: NamedDependency[CollectionService],
    views: NamedDependency[ViewService],
    role_id: FromPath[int],
    collection_id: FromPath[int],
) -> Response[Any]:
    require(visit, Permission.MANAGE_USERS, _MANAGE)
    form, role = await read_form(request), await roles.get(visit.actor, role_id)
    collection = await _collection(visit, collections, collection_id)
    before = _rule(role, collection)
    choices = await choices_of(visit, views, collection, before)
    after = limited(before, collection, form, choices)
    rules = [after if one is before else one for one in role.collections]
    try:
        await roles.change(visit.actor, role_id, RoleChanges(collections=rules))
    except FORM_ERRORS as error:
        return _limits(visit, role, collection, after, choices, error)
    return done(f"{ROLES}/{role_id}", "role-saved")


async def _collection(visit: Visit, collections: CollectionService, number: int) -> Collection:
    found = next((one for one in await collections.list(visit.actor) if one.id == number), None)
    if found is None:
        raise NotFoundError("There is no such collection.")
    return found


def _rule(role: WorkspaceRole, collection: Collection) -> RoleRule:
    found = next((one for one in role.collections if one.collection == collection.name), None)
    if found is None:
        raise NotFoundError("This role does not see the collection.")
    return found


async def choices_of(visit: Visit, views: ViewService, collection: Collection, rule: RoleRule) -> dict[str, Choice]:
    """Which records a role may be limited to: by person fields, and by shared views that narrow."""
    found = {"all": Choice("All records", None)}
    for field in collection.fields:
        if field.type is FieldType.PERSON:
            condition = Condition(field.name, Operator.EQ, "me")
            found[f"me-{field.id}"] = Choice(f"Those whose {field.name} is the person who looks", as_json(condition))
    for view in (await views.list(visit.actor, collection.name, MAX_LIMIT)).items:
        if view.shared and view.where is not None and not view.broken:
            found[f"view-{view.id}"] = Choice(f"What the view {view.name} lets through now", view.where)
    if all(one.where != rule.where for one in found.values()):
        found["kept"] = Choice("The condition that it has", rule.where)
    return found


def limited(rule: RoleRule, collection: Collection, form: Mapping[str, str], choices: Mapping[str, Choice]) -> RoleRule:
    """The rule with what was chosen for its fields and records."""

    def fields(what: str) -> list[str]:
        return [one.name for one in collection.fields if form.get(f"field-{one.id}") == what]

    chosen = choices.get(form.get("rows", ""))
    where = chosen.where if chosen else rule.where
    return msgspec.structs.replace(rule, hidden=fields(_HIDDEN), read_only=fields(_READ_ONLY), where=where)


def rules_in(
    form: Mapping[str, str], collections: Sequence[Collection], before: Sequence[RoleRule] = ()
) -> list[RoleRule]:
    """What is ticked in the matrix, with the limits of before; who may do something with a collection sees it."""
    known, rules = {one.collection: one for one in before}, []
    for one in collections:
        ticked = {right: f"{right}-{one.id}" in form for right in Right}
        if f"{_READ}-{one.id}" in form or any(ticked.values()):
            rule = known.get(one.name) or RoleRule(one.name)
            rules.append(msgspec.structs.replace(rule, **{right.value: given for right, given in ticked.items()}))
    return rules


def summary(rule: RoleRule) -> str:
    """What a role does not see or change of a collection, in a few words."""
    hidden, read_only = len(rule.hidden), len(rule.read_only)
    parts = [f"{hidden} hidden"] * bool(hidden) + [f"{read_only} read only"] * bool(read_only)
    return ", ".join([*parts, *(["some records"] if rule.where is not None else [])]) or "None"


def form_of(role: WorkspaceRole, collections: Sequence[Collection]) -> dict[str, str]:
    """The form that shows a role."""
    numbers = {one.name: one.id for one in collections}
    form = {"name": role.name, **({"files": "true"} if role.files else {})}
    for rule in role.collections:
        number = numbers[rule.collection]
        form[f"{_READ}-{number}"] = "true"
        form |= {f"{right}-{number}": "true" for right in Right if getattr(rule, right.value)}
    return form


def _form(
    visit: Visit,
    collections: Sequence[Collection],
    form: Mapping[str, str],
    role: WorkspaceRole | None = None,
    problem: WebError | None = None,
) -> Html:
    context = {
        "role": role,
        "limits": {one.collection: summary(one) for one in role.collections} if role else {},
        "collections": collections,
        "columns": COLUMNS,
        "form": form,
        "problem": problem,
        "errors": field_errors(problem) if problem else {},
    }
    return show(visit, "roles/edit.html.j2", context, status=problem.status if problem else 200)


def _limits(  # noqa: PLR0913, PLR0917  what the page shows
    visit: Visit,
    role: WorkspaceRole,
    collection: Collection,
    rule: RoleRule,
    choices: Mapping[str, Choice],
    problem: WebError | None = None,
) -> Html:
    chosen = {**dict.fromkeys(rule.read_only, _READ_ONLY), **dict.fromkeys(rule.hidden, _HIDDEN)}
    context = {
        "role": role,
        "collection": collection,
        "chosen": chosen,
        "field_choices": FIELD_CHOICES,
        "rows": [(name, one.words) for name, one in choices.items()],
        "row": next(name for name, one in choices.items() if one.where == rule.where),
        "broken": collection.name in role.broken,
        "problem": problem,
    }
    return show(visit, "roles/limits.html.j2", context, status=problem.status if problem else 200)
