"""Requests as no well-meaning client sends them: for each place of each route, each value of the place's kind.

`shots` lists them all in one order, of which a run tries a seeded sample, and the whole with --full.
"""

import copy
import json
import random
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple
from urllib.parse import quote, quote_plus

import pytest
from litestar import Litestar
from support.asgi import ask
from support.programs import Route, routes_of
from vivero_web.openapi_document import completed
from vivero_web.security import FORM, JSON, MULTIPART

NUMBERS: Final = (
    *("-1", "0", "1", "1.5", "1,5", "1e3", "-0", "+1", "0x10", "1_000", "\u0661\u0662", "\u00b2", "\u00bd"),
    *("2147483648", "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551616"),
    *("-9223372036854775808", "-9223372036854775809", "1e308", "1e309", "1e1000000", "-1e1000000", "1e-1000000"),
    *(
        "1e99999999999999999999",
        "NaN",
        "-NaN",
        "sNaN",
        "Infinity",
        "-Infinity",
        "9" * 400,
        "9" * 5000,
        "0." + "1" * 400,
    ),
)
DATES: Final = (
    *("0000-01-01", "0001-01-01", "0999-12-31", "9999-12-31", "10000-01-01", "2026-02-30", "20261128", "2026-W48-6"),
    *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-14:00"),
    *(
        "2026-11-28T12:00:00+24:00",
        "2026-11-28T12:00:00+23:59:59.999999",
        "2026-11-28T24:00:00Z",
        "2016-12-31T23:59:60Z",
    ),
    *("2026-11-28T12:00", "2026-11-28 12:00:00", "-62135596800", "253402300800", "1e20"),
)
TEXTS: Final = (
    *(
        "",
        " ",
        "\0",
        "a\0b",
        "\x7f",
        "\x1b[0m",
        "a\r\nX-Y: z",
        "\t",
        "'",
        '"',
        "\\",
        "`",
        "%",
        "%s%d{}",
        "%00",
        "../..",
        ".",
    ),
    *(
        "..",
        "/",
        "<script>",
        "' OR 1=1 -- ",
        "*",
        "true",
        "null",
        "None",
        "[]",
        "{}",
        "é",
        "e\u0301",
        "ß" * 300,
        "株式会社",
    ),
    *(
        "🎉",
        "\u202eabc",
        "\ufeff",
        "\ufffe",
        "\uffff",
        "\U0010ffff",
        "\u2028",
        "\u0085",
        "a@b",
        "x@y.z",
        "a@" + "b" * 300,
    ),
    *("//[x", "http://[", "/[", "é@ü.example", "İ" * 127 + "@x.yz", "x" * 64, "x" * 300, "x" * 5000, "é" * 5000),
)
PLACES: Final = tuple(
    urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).rstrip(b"=").decode()
    for text in (
        *(
            '["",1]',
            '["",1,null]',
            '["",-1]',
            '["",9223372036854775807]',
            '["",9223372036854775808]',
            '["",1e400]',
            "[]",
        ),
        *(
            '["-created_at",0,""]',
            '["-created_at",0,"2026-11-28 \u00e9"]',
            '["-created_at",0,"9999-12-31T23:59:59-14:00 a"]',
        ),
        *(
            '["-created_at",0,"0001-01-01T00:00:00+14:00 a"]',
            '["-created_at",0,"\\ud800 a"]',
            '["-id",1]',
            '["id",1]',
            "null",
        ),
        *('["number",1,"1e1000000"]', '["number",1,"x"]', '["integer",1,"1e99"]', '["date",1,"9999-12-31"]', "\ud800"),
        *('["datetime",1,"9999-12-31T23:59:59"]', '["datetime",1,"0001-01-01T00:00:00"]', '["text",1,"\\u0000"]'),
        *(
            '["text",1,"\\ud800"]',
            '["boolean",1,"2"]',
            '["choice",1,"\u00e9"]',
            '["created_at",1,"0001-01-01T00:00:00"]',
        ),
    )
)
_OPERATORS: Final = ("eq", "ne", "lt", "gte", "contains", "starts", "in", "empty", "nope", "")
_FIELDS: Final = ("text", "long_text", "number", "integer", "boolean", "date", "datetime", "choice", "email", "url")
FILTERS: Final = (
    *(":", "::", "text", "text:eq", ":eq:x", "\\:eq:x", "id:in:" + "," * 200, "text:in:\\", "x:eq:1", "text:contains:" + "%" * 300),
    *(f"{field}:{operator}:{value}" for field in ("id", "version", "created_at", *_FIELDS) for operator in _OPERATORS
      for value in ("", "x", "\0", "é", "🎉", "1e1000000", "99999999999999999999", "0001-01-01", "9999-12-31T23:59:59-14:00")),
)  # fmt: skip
RAW: Final = (
    *(
        "%00",
        "%ff",
        "%fe%ff",
        "%c0%80",
        "%ed%a0%80",
        "%f4%90%80%80",
        "%80",
        "%",
        "%zz",
        "%u1234",
        "%2e%2e%2f",
        "%0d%0a",
    ),
    *("%2500", "+", ";", "%5c", "%2f", "a%2fb", "%E2%80%AE"),
)
QUERIES: Final = (
    *(
        "",
        "&&&&",
        "=",
        "=x",
        "a",
        "limit",
        "limit=",
        "limit=1&limit=2",
        "limit[]=1",
        "a;b",
        "%ff=%ff",
        "%00=%00",
        "filter=%ed%a0%80",
    ),
    *(
        "&".join(["filter=text:eq:x"] * 300),
        "&".join(["a=1"] * 3000),
        "cursor=" + "A" * 6000,
        "view=" + quote("a&" * 500),
    ),
)
HEADER_VALUES: Final = (
    *(b"", b" ", b"\xff", b"\xc3\x28", b"\xc3\xa9", b"\x00", b"\x7f", b"\t", b'"', b"=", b"*", b";;;,,,", b"a" * 9000, b"9" * 5000),
    *(b"-1", b"1.5", b"null", b"%00", b"%ff", b"\\", b"//", b"https://[", b"http://\xff", b'W/"1"', b'"1"', b'"9999999999"'),
    *(b"Bearer", b"Bearer ", b"Bearer \xff", b"Bearer a.b.c", b"Bearer eyJhbGciOiJub25lIn0.e30.", b"Basic Zm9v", b"bearer x"),
    *(b"bytes=0-", b"bytes=99999999999999999999-", b"bytes=-", b"*/*;q=x", b"text/html;q=\xff", b"text/html, */*;q=1e999"),
    *(b"999.1.1.1", b"::1, \xff", b"[::1]:99999999", b"1.2.3.4,,,", b"Thu, 01 Jan 0000 00:00:00 GMT", b"gzip;q=\xff, br"),
    *(b"chunked", b"gzip, chunked", b"100-continue", b"websocket", b"multipart/form-data", b"multipart/form-data; boundary=\xff"),
    *(b"application/json; charset=utf-16", b"application/json; charset=nope", b"application/x-www-form-urlencoded; charset=\xff"),
)  # fmt: skip
HEADER_NAMES: Final = (
    *(
        "accept",
        "accept-encoding",
        "accept-language",
        "authorization",
        "content-length",
        "content-type",
        "cookie",
        "expect",
    ),
    *(
        "forwarded",
        "host",
        "hx-request",
        "idempotency-key",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
    ),
    *(
        "last-event-id",
        "origin",
        "range",
        "referer",
        "sec-fetch-site",
        "te",
        "transfer-encoding",
        "upgrade",
        "x-forwarded-for",
    ),
    *(
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-http-method-override",
        "x-request-id",
        "x-scripted-form",
        "traceparent",
    ),
)
JSON_VALUES: Final = (
    *(
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1.5",
        "1e3",
        "1e308",
        "1e309",
        "1e1000000",
        "-1e1000000",
        "1e-1000000",
        "NaN",
    ),
    *(
        "Infinity",
        "-Infinity",
        "9" * 400,
        "9" * 5000,
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
    ),
    *(
        '"\\ud800"',
        '"\\udc00x"',
        '"a\\u0000b"',
        '"\\uffff"',
        "[]",
        "{}",
        "[null]",
        "[[[]]]",
        '{"a":null}',
        '{"":{}}',
        "[1,1e400]",
    ),
    *("[" * 500 + "]" * 500, "[" * 3000 + "]" * 3000, '{"a":' * 500 + "1" + "}" * 500, '"x', "tru", ""),
    *(json.dumps(text) for text in (*TEXTS, *DATES, *NUMBERS[-8:])),
)
DOCUMENTS: Final = (
    *(b"", b" ", b"null", b"1", b'"x"', b"[]", b"{}", b"[{}]", b"{" * 3000, b"[" * 50_000, b'{"a":' * 9000, b"\xff\xfe", b"\x00"),
    *(b"\xef\xbb\xbf{}", '{"a":1}'.encode("utf-16"), b'{"\xff":1}', b'{"name":"\xed\xa0\x80"}', b"{'a':1}", b'{"a":1}x', b'{"a":}'),
    *(b'{"values":{"text":1,"text":2}}', b'{"values":{"\\ud800":1}}', b'{"values":{"":1}}', b'{"values":{"a\\u0000":1}}'),
    *(b'{"values":' + b"[" * 2000 + b"]" * 2000 + b"}", b'{"x":"' + b"x" * 60_000 + b'"}', b"%ff=%ff", b"a=1&b=2"),
)  # fmt: skip
FORMS: Final = (
    *(b"", b"&&&", b"=", b"%ff=%ff", b"a=%ff", b"\xff=1", b"a=%", b"a=%00", b"%00=%00", b"a=%ed%a0%80", b"{}", b"a=1;b=2", b"+=+"),
    *(b"&".join([b"a=1"] * 2000), b"a=" + b"x" * 60_000, b"\x00", b"field-0-name=x&field-0-name=y&field-999-name=z"),
)  # fmt: skip
_DISPOSITION: Final = b"Content-Disposition: form-data; name="
PARTS: Final = (
    *(_DISPOSITION + name for name in (b"file", b'"file"', b'"file"; filename=""', b'"\x00"', b'"\xff"', b"file; filename*=nope''%ff")),
    *(_DISPOSITION + b'"file"; filename="' + name + b'"' for name in (b"a", b"\x00", b"\xff", "é".encode(), b"../..", b"%00", b"a" * 3000)),
    *(_DISPOSITION + b'"file"; filename="a"\r\nContent-Type: ' + kind for kind in (b"", b"\x00/x", b"text/plain; charset=nope", b"x" * 3000)),
    *(_DISPOSITION + b'"text"\r\nContent-Type: text/plain; charset=' + charset for charset in (b"nope", b"utf-16", b"base64", b"idna", b"\xff")),
    *(_DISPOSITION + b'"file"; filename="a"\r\n' + line for line in (b"Content-Length: -1", b"Content-Length: 9", b": x", b"\xff: x", b" x", b"a")),
    *(b"", b"x", b"Content-Disposition", b"Content-Disposition: x", b"Content-Type: text/plain"),
)  # fmt: skip


@dataclass(frozen=True)
class Program:
    """What there is to know of a program to shoot at it.

    Attributes:
        host: its own.
        headers: by route, those of somebody who may do everything there.
        values: by route, good values of its path's parameters.
        bodies: by route, a good body: JSON, or the fields of a form.
        queries: names of the parameters that its pages know.
        cookies: names of those that it knows.
    """

    app: Litestar
    host: str
    headers: Callable[[str], Sequence[tuple[str, str]]]
    values: Callable[[str], Mapping[str, str]]
    bodies: Mapping[str, Any]
    queries: Sequence[str]
    cookies: Sequence[str]


class Shot(NamedTuple):
    """One request; a tuple, because a million of them are listed to try a few hundred."""

    route: str
    place: str
    target: str
    headers: tuple[tuple[str, str | bytes], ...] = ()
    body: bytes = b""

    def __str__(self) -> str:
        odd = [f"{name}: {value!r:.80}" for name, value in self.headers]
        return f"{self.route} ({self.place}) {self.target[:150]} {odd} {self.body[:150]!r}"


def shots(program: Program) -> Iterator[Shot]:
    """All of them."""
    known = _documented(program.app)
    for route in routes_of(program.app):
        values = program.values(str(route))
        names = known.get(str(route), program.queries if route.method == "GET" else ())
        yield from _at_paths(route, values)
        yield from _at_queries(route, values, names)
        yield from _at_headers(route, values, program)
        yield from _at_bodies(route, values, program)
    for text in (*RAW, *_in_path(*TEXTS)):
        yield Shot("GET", "nowhere", f"/{text}")
    for method in ("TRACE", "CONNECT", "QUERY", "get", "\N{LATIN SMALL LETTER E WITH ACUTE}", ""):
        yield Shot(method, "method", "/")


async def misses(program: Program, tried: Iterable[Shot], *, away: bool = False) -> list[str]:
    """Requests that were answered as a fault of ours, as no document promises, or not at all.

    `away`: nothing is behind the program, and it may say so.
    """
    found, promised = [], _promised(program.app)
    for shot in tried:
        own = {name for name, _ in shot.headers}
        headers = [*(item for item in program.headers(shot.route) if item[0] not in own), *shot.headers]
        pieces = [shot.body] if shot.body else []
        try:
            answer = await ask(program.app, shot.route.partition(" ")[0], shot.target, headers, pieces, program.host)
        except Exception as error:  # noqa: BLE001  whatever it is, no client got an answer
            found.append(f"{error!r:.200} at {shot}")
            continue
        if not 200 <= answer.status < 500 and not (away and answer.status == 503):
            found.append(f"{answer.status} at {shot}")
        # An odd path may lead to another route, and so may an odd Host.
        elif not shot.place.startswith(("path", "header host")) and answer.status not in promised.get(
            shot.route, {answer.status}
        ):
            found.append(f"{answer.status}, which nobody promised, at {shot}")
    return found


def some(every: Iterable[Shot], seed: int, share: int) -> list[Shot]:
    """A seeded sample of so many."""
    listed = list(every)
    return random.Random(seed).sample(listed, min(share, len(listed)))  # noqa: S311  a test's choice


SEEDS: Final = [pytest.param(seed, id=f"seed {seed}") for seed in (13,)]


def _promised(app: Litestar) -> dict[str, set[int]]:
    """The statuses that the document names, by operation."""
    document = completed(app, app.openapi_schema.to_schema())
    return {
        f"{method.upper()} {path}": {int(status) for status in operation["responses"]}
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


def _documented(app: Litestar) -> dict[str, list[str]]:
    """The query parameters by operation, as the OpenAPI document has them."""
    document = app.openapi_schema.to_schema()
    return {
        f"{method.upper()} {path}": [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


def _target(route: Route, values: Mapping[str, str], **odd: str) -> str:
    given = (
        dict.fromkeys(_placeholders(route), "x") | {name: quote(value, safe="") for name, value in values.items()} | odd
    )
    return route.path.format(**given)


@cache
def _in_path(*texts: str) -> tuple[str, ...]:
    return tuple(quote(text, safe="") for text in texts)


@cache
def _in_form(*texts: str) -> tuple[str, ...]:
    return tuple(quote_plus(text) for text in texts)


def _at_paths(route: Route, values: Mapping[str, str]) -> Iterator[Shot]:
    for name in _placeholders(route):
        place = f"path {name}"
        for text in (*RAW, *_in_path(*TEXTS, *NUMBERS)):
            yield Shot(str(route), place, _target(route, values, **{name: text}))


def _placeholders(route: Route) -> list[str]:
    return [part[1:-1] for part in route.path.split("/") if part.startswith("{")]


def _at_queries(route: Route, values: Mapping[str, str], names: Sequence[str]) -> Iterator[Shot]:
    target, said = _target(route, values), str(route)
    for name in names:
        kinds = (
            *TEXTS,
            *NUMBERS,
            *DATES,
            *(PLACES if name in {"cursor", "back"} else ()),
            *(FILTERS if name == "filter" else ()),
        )
        where = f"query {name}"
        for text in (*RAW, *_in_form(*kinds)):
            yield Shot(said, where, f"{target}?{name}={text}")
        for place in PLACES if name == "sort" else ():
            for sort in _FIELDS:
                yield Shot(said, "query sort", f"{target}?sort={sort}&cursor={place}")
    for query in QUERIES:
        yield Shot(said, "query", f"{target}?{query}")


def _at_headers(route: Route, values: Mapping[str, str], program: Program) -> Iterator[Shot]:
    target, body, said = _target(route, values), _good(route, program), str(route)
    kind = (("content-type", FORM if route.is_page else JSON), ("content-length", str(len(body)))) if body else ()
    for name in HEADER_NAMES:
        place, rest = f"header {name}", tuple(item for item in kind if item[0] != name)
        for value in HEADER_VALUES:
            yield Shot(said, place, target, (*rest, (name, value)), body)
        yield Shot(said, place, target, ((name, "a"), (name, "b"), *rest), body)
    own = dict(program.headers(said)).get("cookie", "")
    for cookie in program.cookies:
        for text in (*RAW, *TEXTS):
            item = ("cookie", f"{own}; {cookie}={text}".encode())
            yield Shot(said, f"cookie {cookie}", target, (item, ("authorization", ""), *kind), body)


def _good(route: Route, program: Program) -> bytes:
    body = program.bodies.get(str(route))
    if body is None:
        return b""
    return _form(body) if route.is_page else json.dumps(body).encode()


def _form(fields: Mapping[str, str]) -> bytes:
    return "&".join(f"{quote_plus(name)}={quote_plus(text)}" for name, text in fields.items()).encode()


def _at_bodies(route: Route, values: Mapping[str, str], program: Program) -> Iterator[Shot]:
    if route.method not in {"POST", "PUT", "PATCH", "DELETE"}:
        return
    target, good = _target(route, values), program.bodies.get(str(route))
    bodies: list[tuple[str, str, bytes]] = [("body", JSON, document) for document in DOCUMENTS]
    bodies += [("form", FORM, form) for form in FORMS]
    bodies += [("parts", f"{MULTIPART}; boundary=b", b"--b\r\n" + part + b"\r\n\r\nx\r\n--b--") for part in PARTS]
    if good is not None and route.is_page:
        bodies += [(f"field {name}", FORM, form) for name, form in _odd_forms(good)]
    elif good is not None:
        bodies += [(f"value {place}", JSON, document) for place, document in _odd_documents(good)]
    said = str(route)
    for place, kind, body in bodies:
        yield Shot(said, place, target, (("content-type", kind), ("content-length", str(len(body)))), body)


def _odd_forms(good: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    for name in good:
        rest = _form({other: text for other, text in good.items() if other != name})
        yield name, rest
        for text in (*RAW, *_in_form(*TEXTS, *NUMBERS, *DATES)):
            yield name, f"{quote_plus(name)}={text}&".encode() + rest


def _odd_documents(good: Any) -> Iterator[tuple[str, bytes]]:  # noqa: ANN401  any JSON
    for path in _spots(good):
        place = ".".join(map(str, path))
        around = _placed(good, path, "\u0001")
        for value in JSON_VALUES:
            yield place, around.replace('"\\u0001"', value, 1).encode()
    for name in ("unknown", "", "\\ud800", "a\\u0000", "x" * 300):
        yield "unknown", json.dumps({**good, "\u0001": 1}).replace("\\u0001", name, 1).encode()
    for name in good:
        yield f"without {name}", json.dumps({key: value for key, value in good.items() if key != name}).encode()


def _spots(document: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:  # noqa: ANN401  as above
    """Every place in a document."""
    if path:
        yield path
    inside = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in inside:
        yield from _spots(value, (*path, key))


def _placed(document: Any, path: tuple[str | int, ...], value: str) -> str:  # noqa: ANN401  as above
    made = copy.deepcopy(document)
    *way, last = path
    holder = made
    for step in way:
        holder = holder[step]
    holder[last] = value
    return json.dumps(made)
