"""JSON of the values that records hold: exact decimals as numbers, moments in UTC with a Z."""

from typing import Any, Final, TypeVar

import msgspec
from litestar import MediaType, Response
from litestar.serialization import default_serializer
from litestar.types import Serializer

T = TypeVar("T")

# A Decimal as a JSON number keeps its digits, where a float would lose some.
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number", uuid_format="canonical")


def encode(value: Any) -> str:  # noqa: ANN401  whatever JSON can say
    """Compact JSON text."""
    return _ENCODER.encode(value).decode()


def encode_bytes(value: Any) -> bytes:  # noqa: ANN401  whatever JSON can say
    """Compact JSON for a response body."""
    return _ENCODER.encode(value)


class JsonResponse(Response[T]):
    """A JSON answer in which numbers keep their digits."""

    def render(self, content: Any, media_type: str, enc_hook: Serializer = default_serializer) -> bytes:  # noqa: ANN401  what handlers return
        if media_type == MediaType.JSON and content is not None:
            return encode_bytes(content)
        return super().render(content, media_type, enc_hook)
