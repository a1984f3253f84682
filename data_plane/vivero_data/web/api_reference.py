"""The API's document as pages show it: its operations in sections, each with parameters, bodies, answers and a call; pure."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from shlex import quote
from typing import Any, Final

from msgspec import Struct

from vivero_data.web.api_schemas import FieldRow, Json, Schemas
from vivero_data.web.markdown import anchor

KEY: Final = "$VIVERO_KEY"
"""Stands for an API key in every call: a variable of the shell, so that no key is in its history."""
_JSON: Final = "application/json"
_IN_PATH: Final = re.compile(r"\{(\w+)(?::\w+)?\}")


class Body(Struct, frozen=True):
    """What is sent or answered; `example` is JSON, empty for other media types."""

    media_type: str
    fields: tuple[FieldRow, ...]
    example: str


class Answer(Struct, frozen=True):
    """An answer of one status; `status` has its number and words."""

    status: str
    text: str
    body: Body | None


class Operation(Struct, frozen=True):
    """One method of one path.

    Attributes:
        id: its name in the document, and on the page.
        text: what its summary does not say.
        call: the same with curl.
    """

    id: str
    method: str
    path: str
    summary: str
    text: str
    open: bool
    parameters: tuple[FieldRow, ...]
    body: Body | None
    good: tuple[Answer, ...]
    refusals: tuple[Answer, ...]
    call: str

    def has(self, words: Sequence[str]) -> bool:
        """Whether each of the words, in small letters, is in what the contents show of it."""
        shown = f"{self.method} {self.path} {self.summary} {self.id}".lower()
        return all(word in shown for word in words)


class Section(Struct, frozen=True):
    """The operations of one tag."""

    name: str
    text: str
    operations: tuple[Operation, ...]

    @property
    def slug(self) -> str:
        return anchor(self.name)


def sections(document: Mapping[str, Any], address: str) -> list[Section]:
    """Those that have operations, in the document's order; `address` is the workspace's, `https://…`."""
    schemas, by_tag = Schemas(document), dict[str, list[Operation]]()
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            by_tag.setdefault(one["tags"][0], []).append(_operation(document, schemas, address, path, method, one))
    tags = [(tag["name"], tag["description"]) for tag in document["tags"]]
    return [Section(name, text, tuple(by_tag[name])) for name, text in tags if name in by_tag]


def matching(found: Sequence[Section], search: str) -> list[Section]:
    """Sections with the operations that have every word of the search; those without any are left out."""
    words = search.lower().split()
    left = (Section(one.name, one.text, tuple(each for each in one.operations if each.has(words))) for one in found)
    return [one for one in left if one.operations]


def curl(method: str, url: str, *, key: str = KEY, body: object = None, file: str = "") -> str:
    """A call as one types it into a shell; `body` is sent as JSON, `file` as a form's."""
    words = [f'curl "{url}"' if method == "GET" else f'curl -X {method} "{url}"']
    if key:
        words.append(f'-H "Authorization: Bearer {key}"')
    if body is not None:
        words += [f"-H 'Content-Type: {_JSON}'", f"-d {quote(compact(body))}"]
    if file:
        words.append(f"-F file=@{file}")
    return " \\\n  ".join(words)


def compact(value: object) -> str:
    """JSON in a line."""
    return json.dumps(value, ensure_ascii=False)


def _operation(  # noqa: PLR0913, PLR0917  what the document says of it, and in which document
    document: Mapping[str, Any], schemas: Schemas, address: str, path: str, method: str, one: Json
) -> Operation:
    given, open_to_all = one.get("parameters", ()), not one["security"]
    body = next(_bodies(schemas, one.get("requestBody", {})), None)
    answers = [_answer(document, schemas, status, said) for status, said in one["responses"].items()]
    in_path = {each["name"]: str(schemas.example(each["schema"], each["name"])) for each in given}
    called = _IN_PATH.sub(lambda found: in_path[found[1]], path)
    sent = json.loads(body.example) if body and body.example else None
    return Operation(
        id=one["operationId"],
        method=method.upper(),
        path=path,
        summary=one["summary"],
        text=one["description"].removeprefix(one["summary"]).lstrip(".;: "),
        open=open_to_all,
        parameters=tuple(_parameter(schemas, each) for each in given),
        body=body,
        good=tuple(each for each in answers if each.status < "4"),
        refusals=tuple(each for each in answers if each.status >= "4"),
        call=curl(
            method.upper(),
            address + called,
            key="" if open_to_all else KEY,
            body=sent,
            file="contacts.csv" if body and not body.example else "",
        ),
    )


def _parameter(schemas: Schemas, one: Json) -> FieldRow:
    said = one["schema"]
    kind = schemas.words(said) + (f", {said['default']} when left out" if "default" in said else "")
    return FieldRow(one["name"], kind, one["required"], one["description"])


def _bodies(schemas: Schemas, one: Json) -> Iterator[Body]:
    for media_type, said in one.get("content", {}).items():
        schema = said.get("schema", {})
        example = ""
        if media_type == _JSON:
            example = json.dumps(schemas.example(schema), ensure_ascii=False, indent=2)
        yield Body(media_type, tuple(schemas.rows(schema)), example)


def _answer(document: Mapping[str, Any], schemas: Schemas, status: str, said: Json) -> Answer:
    shared = said.get("$ref", "").rpartition("/")[2]
    one = document["components"]["responses"][shared] if shared else said
    body = next(_bodies(schemas, one), None)
    return Answer(f"{status} {HTTPStatus(int(status)).phrase}", one["description"], body)
