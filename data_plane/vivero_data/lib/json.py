"""JSON of record values: numbers keep all their digits in both directions, times are in UTC with a Z."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar

import msgspec
from litestar import MediaType, Response
from litestar.exceptions import SerializationException
from litestar.serialization import default_serializer
from litestar.types import Serializer
from vivero_web.bodies import BoundedRequest

T = TypeVar("T")

_LONGEST_INT: Final = 4300  # digits; converting longer ones to int would take minutes

# A Decimal as a JSON number keeps its digits, where a float would lose some.
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number", uuid_format="canonical")


def exact(text: str) -> Decimal:
    """A JSON number with all its digits; an exponent beyond Decimal's range becomes infinity, invalid for any field."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("-Infinity" if text.startswith("-") else "Infinity")


_DECODER: Final = msgspec.json.Decoder(float_hook=exact)


def decode(text: str | bytes) -> Any:  # noqa: ANN401  whatever JSON can say
    """Decode JSON; numbers with a fraction or exponent become Decimal.

    Raises:
        msgspec.DecodeError: it is not JSON.
    """
    return _DECODER.decode(text)


def encode(value: Any) -> str:  # noqa: ANN401  whatever JSON can say
    """Compact JSON text."""
    return _ENCODER.encode(value).decode()


def encode_bytes(value: Any) -> bytes:  # noqa: ANN401  whatever JSON can say
    """Compact JSON for a response body."""
    return _ENCODER.encode(value)


class JsonResponse(Response[T]):
    """A JSON response in which numbers keep their digits."""

    def render(self, content: Any, media_type: str, enc_hook: Serializer = default_serializer) -> bytes:  # noqa: ANN401  what handlers return
        if media_type == MediaType.JSON and content is not None:
            return encode_bytes(content)
        return super().render(content, media_type, enc_hook)


class JsonRequest(BoundedRequest):
    """A request whose JSON body keeps the digits of its numbers."""

    def decode(self, body: bytes) -> Any:  # noqa: ANN401  as below
        return _decode_body(body)


def _decode_body(body: bytes) -> Any:  # noqa: ANN401  whatever JSON can say
    try:
        return decode(body)
    except RecursionError as error:
        raise SerializationException("JSON is nested too deeply") from error
    except msgspec.DecodeError as error:
        refusal = error
    # Invalid but common values, NaN and huge integers, are accepted here and rejected where
    # the field is known, so that the error can name it.
    try:
        read = json.loads(body.decode(), parse_float=exact, parse_int=_whole, parse_constant=Decimal)
        encode_bytes(read)  # this parser accepts lone surrogates, which cannot be stored
    except (ValueError, RecursionError):
        raise SerializationException(str(refusal)) from refusal
    return read


def _whole(text: str) -> int | Decimal:
    return int(text) if len(text) <= _LONGEST_INT else exact(text)
