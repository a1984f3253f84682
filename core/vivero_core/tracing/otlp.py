"""Spans as OTLP has them: messages of opentelemetry/proto/trace/v1 in Protocol Buffers' wire format.

The generated classes and their runtime take some 10 MiB, and a span has ten fields. A field is a key (its number and how it
is encoded) and its content; numbers have seven bits a byte, the lowest first. Tests read all of it with those classes.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from vivero_core.tracing.spans import Span, Value

_VARINT: Final = 0
_FIXED64: Final = 1
_BYTES: Final = 2
_INT64: Final = (1 << 64) - 1
_ERROR: Final = 2
TEXT_MAX: Final = 2000
"""Characters of an attribute; the rest is cut off."""


def export_request(resource: Mapping[str, Value], scope: str, spans: Iterable[Span]) -> bytes:
    """An ExportTraceServiceRequest: spans of one program."""
    described = _message(1, b"".join(_attribute(1, *pair) for pair in resource.items()))
    scoped = _message(2, _message(1, _text(1, scope)) + b"".join(_message(2, _span(one)) for one in spans))
    return _message(1, described + scoped)


def _span(span: Span) -> bytes:
    here = span.context
    return b"".join(
        (
            _message(1, here.trace_id.to_bytes(16, "big")),
            _message(2, here.span_id.to_bytes(8, "big")),
            _message(4, span.parent_id.to_bytes(8, "big")) if span.parent_id else b"",
            _text(5, span.name),
            _number(6, span.kind),
            _fixed(7, span.started),
            _fixed(8, span.ended),
            *(_attribute(9, *pair) for pair in span.attributes.items()),
            _message(15, _number(3, _ERROR)) if span.failed else b"",
        )
    )


def _attribute(field: int, key: str, value: Value) -> bytes:
    return _message(field, _text(1, key) + _message(2, _value(value)))


def _value(value: Value) -> bytes:
    match value:
        case bool():
            return _number(2, value)
        case int():
            return _number(3, value & _INT64)
        case str():
            return _text(1, value[:TEXT_MAX])


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode(errors="replace"))


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | _BYTES) + _varint(len(content)) + content


def _number(field: int, number: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(number)


def _fixed(field: int, number: int) -> bytes:
    return _varint(field << 3 | _FIXED64) + number.to_bytes(8, "little")


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:  # noqa: PLR2004  seven bits a byte
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
