"""How an address names a user."""

from typing import Annotated

from litestar.params import PathParameter
from vivero_web.fields import LARGEST

UserId = Annotated[int, PathParameter(ge=1, le=LARGEST, description="The account's number.")]
