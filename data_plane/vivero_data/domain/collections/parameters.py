"""How an address names a collection."""

from typing import Annotated, Final

from litestar.params import PathParameter

from vivero_data.domain.collections.names import MAX_NAME

_APART: Final = 4  # characters of one letter that is taken apart, at most

CollectionName = Annotated[
    str, PathParameter(min_length=1, max_length=MAX_NAME * _APART, description="The collection's name, in any case.")
]
