"""Bodies of requests: as many bytes as their route takes, and the forms in them.

Litestar reads forms too, but keeps the last thousand of them for as long as the process lives, passwords and all, and
a text in a multipart form whole in memory; a sender who leaves is a fault of the server's to it.
"""

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final, TypeVar, cast
from urllib.parse import parse_qsl

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.serialization import decode_json
from litestar.types import Empty, HTTPReceiveMessage

from vivero_web.declared import raises
from vivero_web.errors import MalformedError, TooLargeError
from vivero_web.guards import FORM, require_media_type
from vivero_web.shapes import check_document

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
            TooLargeError: it is said to be larger than the bound, before any of it is read, or turns out to be.
            MalformedError: its sender left.
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
    """How many bytes the body is said to have; 0 when nothing is said.

    Raises:
        MalformedError: no number is said.
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
