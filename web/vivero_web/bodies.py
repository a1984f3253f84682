"""Request bodies: their bounds, the forms in them, and whether JSON has the shape that its route reads.

Litestar reads forms too, but caches the last thousand of them for as long as the process lives, passwords and all, and
keeps a text of a multipart form whole in memory; and a client that disconnects is a server error to it.
"""

import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from itertools import islice
from typing import Any, Final, TypeVar, cast, get_args
from urllib.parse import parse_qsl

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.serialization import decode_json
from litestar.types import Empty, HTTPReceiveMessage

from vivero_web.declared import raises
from vivero_web.errors import FieldError, InvalidInputError, MalformedError, TooLargeError
from vivero_web.security import FORM, require_media_type

T = TypeVar("T")

_NAME_SHOWN: Final = 64  # characters of a name that somebody made up
_TOLD: Final = 50  # fields at fault; who has more of them learns of the rest next time
_REQUIRED: Final = "This field is required."
# msgspec names a missing field and a path inside the body in these forms.
_MISSING: Final = re.compile(r"missing required field `([^`]+)`")
_PATH: Final = re.compile(r"( - at )?`\$\.?([^`]*)`$")


def check_document(document: Any, kind: Any) -> None:  # noqa: ANN401  any JSON, and a type
    """Refuse a JSON document that is not of a type, without coercion: a text is no number, and 0 is not false.

    Raises:
        InvalidInputError: naming every field at fault.
    """
    try:
        msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        every = list(islice(_every(document, kind), _TOLD))
        raise InvalidInputError.of_all(every or [field_error("", str(error))]) from error


def said(field: str, text: str, kind: type[T], wanted: str) -> T | None:
    """What a text in an address says; None without one. The framework would take `null` for nothing, and 0 for 1970.

    Raises:
        InvalidInputError: it says something else; `wanted` ends the sentence "must be …".
    """
    try:
        return msgspec.convert(text, kind) if text else None
    except msgspec.ValidationError as error:
        raise InvalidInputError.of(field, f"must be {wanted}") from error


def field_error(key: str, message: str) -> FieldError:
    """The parser's words: name the field, not the place in our code; say what to change."""
    if missing := _MISSING.search(message):
        return FieldError(missing[1], _REQUIRED)
    if path := _PATH.search(message):
        key = path[2] or key
        message = message[: path.start()]
    if key in {"", "data"}:
        return FieldError("body", "Send a JSON object.")
    return FieldError(key.removeprefix("data."), message)


def _every(document: Any, kind: Any) -> Iterator[FieldError]:  # noqa: ANN401  as above
    """The fields that are wrong each by itself: the parser stops at the first."""
    structs = [one for one in (kind, *get_args(kind)) if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    if not structs or not isinstance(document, dict):
        return
    fields = msgspec.structs.fields(structs[0])
    if structs[0].__struct_config__.forbid_unknown_fields:
        known = {field.encode_name for field in fields}
        yield from (FieldError(name[:_NAME_SHOWN], "There is no such field.") for name in document if name not in known)
    for field in fields:
        name = field.encode_name
        if name not in document:
            if field.required:
                yield FieldError(name, _REQUIRED)
            continue
        try:
            msgspec.convert(document[name], field.type)
        except msgspec.ValidationError as error:
            message, _, inside = str(error).partition(" - at `$")
            yield FieldError(f"{name}{inside.removesuffix('`')}", message)


S = TypeVar("S", bound=msgspec.Struct)

FORM_BYTES: Final = 64 * 1024
"""Of everything but what has a bound of its own: a login, an order, a form of a few fields."""
_FIELDS: Final = 1000  # the largest form, a new collection's, has some 200
_LENGTH_DIGITS: Final = 19  # more bytes than anything takes


class BoundedRequest(Request[Any, Any, State]):
    """A request whose body is read up to its route's `request_max_body_size`; a route without one takes no body."""

    @raises(MalformedError, TooLargeError)
    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The body in pieces.

        Raises:
            TooLargeError: by Content-Length, before any of it is read, or by what was received.
            MalformedError: the client disconnected.
        """
        if self._body is not Empty:
            yield self._body
            return
        bound = self.route_handler.resolve_request_max_body_size() or 0
        if announced_length(self.headers) > bound:
            raise _beyond(bound)
        read, more = 0, True
        while more:
            message = cast("HTTPReceiveMessage", await self.receive())
            if message["type"] == "http.disconnect":
                raise MalformedError("The body ended too early.")
            piece, more = message.get("body", b""), message.get("more_body", False)
            read += len(piece)
            if read > bound:
                raise _beyond(bound)
            yield piece

    async def json(self) -> Any:  # noqa: ANN401  as Litestar's
        """The body, once it is what its route reads.

        Raises:
            SerializationException: it is not JSON.
            InvalidInputError: naming every field at fault.
        """
        if self._connection_state.json is Empty:
            document = self.decode(await self.body() or b"null")
            field = self.route_handler.parsed_fn_signature.parameters.get("data")
            if field is not None:
                check_document(document, field.annotation)
            self._connection_state.json = document
        return self._connection_state.json

    def decode(self, body: bytes) -> Any:  # noqa: ANN401  whatever JSON can say
        """A body's document.

        Raises:
            SerializationException: it is not JSON.
        """
        return decode_json(body)


def announced_length(headers: Mapping[str, str]) -> int:
    """The body's length by Content-Length; 0 without the header.

    Raises:
        MalformedError: it is no number.
    """
    said = headers.get("content-length", "0")
    if not (said.isascii() and said.isdigit()):
        raise MalformedError("Content-Length must be a number of bytes.")
    return int(said[:_LENGTH_DIGITS])


async def read_form(request: Request[Any, Any, Any]) -> dict[str, str]:
    """The texts of a posted form, the first of each name.

    Raises:
        UnsupportedMediaTypeError: it was sent as something else.
        MalformedError: it is not UTF-8.
        TooLargeError: it has more bytes or fields than a form of ours.
    """
    require_media_type(request, FORM)
    texts: dict[str, str] = {}
    for name, text in _pairs(await request.body()):
        texts.setdefault(name, text)
    return texts


async def read_form_as(request: Request[Any, Any, Any], kind: type[S]) -> S:
    """A posted form as a struct of texts; what else is in it is left out.

    Raises:
        WebError: as `read_form`.
    """
    return msgspec.convert(await read_form(request), kind)


def _pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS)
    except UnicodeDecodeError as error:
        raise MalformedError("The form is not valid UTF-8.") from error
    except ValueError as error:
        raise TooLargeError(f"A form has at most {_FIELDS} fields.") from error


def _beyond(bound: int) -> TooLargeError:
    return TooLargeError(f"Send at most {bound:,} bytes here.")
