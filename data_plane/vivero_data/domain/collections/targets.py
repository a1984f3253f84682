"""Whether what a field leads to is there, and fits, when it is defined."""

from collections.abc import Sequence

from vivero_web.errors import FieldError, InvalidInputError

from vivero_data.db.database import Connection
from vivero_data.domain.collections import repository
from vivero_data.domain.collections.schemas import Collection, Field, NewField
from vivero_data.domain.field_types.options import Figure
from vivero_data.domain.field_types.registry import FieldType


async def check_targets(
    connection: Connection, fields: Sequence[tuple[str, NewField]], collection: Collection | None = None
) -> None:
    """Check the fields, each with its place, of a collection or of one that is being made.

    Raises:
        InvalidInputError: one leads to nothing, or to what does not fit.
    """
    errors = []
    for place, field in fields:
        problem = await _problem(connection, field, collection)
        if problem:
            errors.append(FieldError(f"{place}options.{problem[0]}", problem[1]))
    if errors:
        raise InvalidInputError.of_all(errors)


async def _problem(connection: Connection, field: NewField, collection: Collection | None) -> tuple[str, str] | None:
    said = field.options
    if field.type is FieldType.LINK and await repository.get_by_id(connection, said.collection) is None:
        return "collection", "is the number of no collection"
    if field.type is FieldType.LOOKUP:
        link = _of(collection, said.link)
        if link is None or link.type is not FieldType.LINK:
            return "link", "must be a link of this collection; add it first"
        return _unfit_lookup(await repository.get_by_id(connection, link.options.collection), said.field)
    if field.type is FieldType.ROLLUP:
        source = await repository.get_by_field(connection, said.link)
        link = _of(source, said.link)
        if (
            collection is None
            or link is None
            or link.type is not FieldType.LINK
            or link.options.collection != collection.id
        ):
            return "link", "must be a link of another collection that leads to this one"
        return _unfit_rollup(source, said.field, said.figure)
    return None


def _of(collection: Collection | None, number: int) -> Field | None:
    return next((one for one in collection.fields if one.id == number), None) if collection else None


def _unfit_lookup(target: Collection | None, number: int) -> tuple[str, str] | None:
    found = _of(target, number)
    if found is None or found.kind.virtual:
        return "field", "must be a field of the linked collection that is stored there"
    return None


def _unfit_rollup(source: Collection | None, number: int, figure: Figure) -> tuple[str, str] | None:
    if figure is Figure.COUNT:
        return None
    found = _of(source, number)
    if found is None or found.kind.virtual:
        return "field", "must be a stored field of the collection whose link it is"
    fits = found.kind.summable if figure in {Figure.SUM, Figure.AVERAGE} else found.kind.sortable
    return None if fits else ("figure", f"is not possible for {found.name}, a {found.kind.label.lower()}")
