"""How an address names a collection."""

from typing import Annotated, Final

from litestar.params import PathParameter

from vivero_data.domain.collections.names import MAX_NAME

APART: Final = 4
"""Characters of one letter that is taken apart, at most."""

CollectionName = Annotated[
    str, PathParameter(min_length=1, max_length=MAX_NAME * APART, description="The collection's name, in any case.")
]
