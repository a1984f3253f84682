"""A role by names and by numbers, and whether it fits the workspace; pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from vivero_web.errors import FieldError, InvalidInputError
from vivero_web.text import tidy

from vivero_data.domain.collections.names import fold, name_problem
from vivero_data.domain.collections.schemas import Collection
from vivero_data.domain.records.access import row_condition
from vivero_data.domain.records.filters import WHERE_LENGTH, as_json, parse_tree, renamed
from vivero_data.domain.records.where import compiled
from vivero_data.domain.roles.rights import CollectionRights, OwnRole
from vivero_data.domain.roles.schemas import NewRole, RoleRule
from vivero_data.domain.users.schemas import Role
from vivero_data.lib.json import encode

_RESERVED: Final = frozenset({*(str(one) for one in Role), "administrator", "editor"})


def stored_form(collections: Iterable[Collection], new: NewRole, number: int = 0) -> OwnRole:
    """The role by numbers.

    Raises:
        InvalidInputError: naming every place at fault.
    """
    name = tidy(new.name)
    problem = name_problem(name) or ("is a role that every workspace has" if fold(name) in _RESERVED else None)
    errors = [FieldError("name", problem)] if problem else []
    known = {fold(one.name): one for one in collections}
    rules: dict[int, CollectionRights] = {}
    for index, rule in enumerate(new.collections):
        place, collection = f"collections[{index}]", known.get(fold(tidy(rule.collection)))
        if collection is None:
            errors.append(FieldError(f"{place}.collection", "names no collection"))
        elif collection.id in rules:
            errors.append(FieldError(f"{place}.collection", "has a rule already"))
        else:
            try:
                rules[collection.id] = _rights(collection, rule)
            except InvalidInputError as error:
                errors += [msgspec.structs.replace(one, field=f"{place}.{one.field}") for one in error.errors]
    if errors:
        raise InvalidInputError.of_all(errors)
    return OwnRole(number, name, new.files, rules)


def _rights(collection: Collection, rule: RoleRule) -> CollectionRights:
    hidden = _numbers(collection, "hidden", rule.hidden)
    read_only = _numbers(collection, "read_only", rule.read_only) - hidden
    if len(hidden) == len(collection.fields):
        raise InvalidInputError.of("hidden", "must leave a field")
    if rule.create:
        _check_creating(collection, hidden | read_only)
    where = None if rule.where is None else _stored_condition(collection, rule.where)
    return CollectionRights(rule.create, rule.change, rule.delete, rule.export, hidden, read_only, where)


def _numbers(collection: Collection, place: str, names: Sequence[str]) -> frozenset[int]:
    known = {fold(field.name): field.id for field in collection.fields}
    unknown = [name for name in names if fold(tidy(name)) not in known]
    if unknown:
        raise InvalidInputError.of(place, f"names no field of {collection.name}: {unknown[0][:64]!r}")
    return frozenset(known[fold(tidy(name))] for name in names)


def _check_creating(collection: Collection, closed: frozenset[int]) -> None:
    """Who adds records has to be able to give them what they need."""
    needed = [one.name for one in collection.fields if one.id in closed and one.required and one.default is None]
    if needed:
        raise InvalidInputError.of("create", f"needs a value for {needed[0]}, which the role could not give")


def _stored_condition(collection: Collection, where: dict[str, Any]) -> dict[str, Any]:
    if len(encode(where)) > WHERE_LENGTH:
        raise InvalidInputError.of("where", f"must have at most {WHERE_LENGTH:,} characters")
    tree = parse_tree(where)
    compiled(collection, tree)
    references = {field.name: f"f{field.id}" for field in collection.fields}
    return as_json(renamed(tree, lambda name: references.get(tidy(name), tidy(name))))


def named_form(collections: Mapping[int, Collection], role: OwnRole) -> tuple[list[RoleRule], list[str]]:
    """The rules by the names of today, and where a condition fits no more; of what is gone there is nothing."""
    rules, broken = [], []
    for number, rights in role.collections.items():
        collection = collections.get(number)
        if collection is None:
            continue
        rules.append(_rule(collection, rights))
        try:
            row_condition(collection, rights)
        except InvalidInputError:
            broken.append(collection.name)
    return sorted(rules, key=lambda rule: fold(rule.collection)), sorted(broken, key=fold)


def _rule(collection: Collection, rights: CollectionRights) -> RoleRule:
    where = None
    if rights.where is not None:
        names = {f"f{field.id}": field.name for field in collection.fields}
        where = as_json(renamed(parse_tree(rights.where), lambda reference: names.get(reference, reference)))
    return RoleRule(
        collection.name,
        rights.create,
        rights.change,
        rights.delete,
        rights.export,
        [field.name for field in collection.fields if field.id in rights.hidden],
        [field.name for field in collection.fields if field.id in rights.read_only],
        where,
    )
