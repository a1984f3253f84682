"""Conditional requests (RFC 9110, section 13): is what a client knows what is there; pure.

Tags are compared by name, weak or not, If-Match included. Proxies that
compress an answer weaken its tag, and a client sends back what it got; our
names are those of exact versions, so a weakened one still tells one from
another. Only parts of a file are put together by a tag that came unchanged.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Annotated, Any, Final

from litestar import Request
from litestar.datastructures import Headers, ResponseHeader
from litestar.params import HeaderParameter
from msgspec import Struct

from vivero_web.declared import raises
from vivero_web.errors import InvalidInputError, PreconditionFailedError

_ANY: Final = "*"
_WEAK: Final = "W/"
_TAG: Final = r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")'
_TAGS: Final = re.compile(rf"[ \t,]*(?:{_TAG}[ \t]*(?:,[ \t,]*|\Z))*")

Names = frozenset[str]
"""Tags with their quotes and without their weakness, or `*`."""


class Conditions(Struct, frozen=True):
    """What a request makes depend on the version that is there; None: nothing.

    Attributes:
        match: the version is one of these.
        none_match: it is none of these.
    """

    match: Names | None = None
    none_match: Names | None = None

    @classmethod
    def of(cls, method: str, headers: Headers) -> "Conditions":
        """A read's If-None-Match is no condition here: `reading.py` answers it with 304.

        Raises:
            InvalidInputError: If-Match is no list of tags; nothing is changed on a guess.
        """
        match = names_in(headers, "if-match")
        if match is None and "if-match" in headers:
            raise InvalidInputError.of("If-Match", 'must be * or ETags such as "3"')
        return cls(match, None if method == "GET" else names_in(headers, "if-none-match"))

    def allow(self, tag: str) -> bool:
        """Whether If-Match allows the current ETag."""
        return self.match is None or _has(self.match, tag)

    def check(self, tag: str) -> None:
        """Check the conditions against the current ETag.

        Raises:
            PreconditionFailedError: a condition does not hold.
        """
        if not self.allow(tag) or (self.none_match is not None and _has(self.none_match, tag)):
            raise PreconditionFailedError(f"It is at version {tag} now. Read it again.")


UNCONDITIONAL: Final = Conditions()
ETAG: Final = ResponseHeader(name="ETag", description="Names the version that this is.", documentation_only=True)
IfMatch = Annotated[
    str | None,
    HeaderParameter(name="If-Match", description="ETags, one of which must match the current version; or `*`."),
]
IfNoneMatch = Annotated[
    str | None, HeaderParameter(name="If-None-Match", description="ETags, none of which may be that version's; or `*`.")
]


@raises(PreconditionFailedError)
def provide_conditions(
    request: Request[Any, Any, Any], if_match: IfMatch = None, if_none_match: IfNoneMatch = None
) -> Conditions:
    """The dependency `conditions`.

    The parameters are for the document: each header may come in several lines, which the request has.

    Raises:
        InvalidInputError: If-Match is no list of ETags.
    """
    del if_match, if_none_match
    return Conditions.of(request.method, request.headers)


def tag_of(version: object) -> str:
    """The ETag of a version: a number or an id."""
    return f'"{version}"'


def weakened(tag: str) -> str:
    """The tag of an answer that somebody may compress on its way."""
    return tag if tag.startswith(_WEAK) else f"{_WEAK}{tag}"


def names_in(headers: Headers, name: str) -> Names | None:
    """The tags that a header lists, in however many lines; None when it is not there or lists no tags."""
    lines = headers.getall(name, [])
    text = ",".join(lines).strip()
    if not lines:
        return None
    if text == _ANY:
        return frozenset({_ANY})
    return frozenset(re.findall(_TAG, text)) if _TAGS.fullmatch(text) else None


def is_current(asked: Headers, answer: Mapping[str, str]) -> bool:
    """Whether a read's answer, by its headers, is what the client has already."""
    if "if-none-match" in asked:
        names, tag = names_in(asked, "if-none-match"), answer.get("etag")
        return names is not None and tag is not None and _has(names, tag)
    since, modified = _moment(asked.get("if-modified-since")), _moment(answer.get("last-modified"))
    return since is not None and modified is not None and modified <= since


def continues(asked: Headers, answer: Mapping[str, str]) -> bool:
    """Whether a part of the answer fits what the client has: If-Range names exactly this version, or is not there."""
    given = asked.get("if-range")
    return given is None or given.strip() in {answer.get("etag"), answer.get("last-modified")}


def http_date(moment: datetime) -> str:
    """As headers have it, in whole seconds."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def _has(names: Names, tag: str) -> bool:
    return _ANY in names or tag.removeprefix(_WEAK) in names


def _moment(text: str | None) -> datetime | None:
    """A header's date in any of the three forms that the standard knows; None when it is no date."""
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
