"""Whether what a field leads to is there, when it is defined."""

from collections.abc import Sequence

from vivero_web.errors import FieldError, InvalidInputError

from vivero_data.db.database import Connection
from vivero_data.domain.collections import repository
from vivero_data.domain.collections.schemas import NewField


async def check_targets(connection: Connection, fields: Sequence[tuple[str, NewField]]) -> None:
    """Check the fields, each with its place.

    Raises:
        InvalidInputError: one links to a collection that does not exist.
    """
    errors = [
        FieldError(f"{place}options.collection", "is the number of no collection")
        for place, field in fields
        if field.options.collection and await repository.get_by_id(connection, field.options.collection) is None
    ]
    if errors:
        raise InvalidInputError.of_all(errors)
