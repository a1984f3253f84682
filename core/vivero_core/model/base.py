"""What every model of a custom resource has in common."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from vivero_core.model.naming import OBJECT_NAME_PATTERN

INTEGER_MAX: Final = 2**53 - 1
"""The largest integer that JSON readers agree on; the API server itself compares bounds as floating point."""

TIMESTAMP_PATTERN: Final = (
    r"^2[01][0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$"
)
"""RFC 3339, the years 2000 to 2199, offsets up to 14 hours. Kubernetes' own `date-time` format also takes `+99:00`, and
the year 9999 leaves the calendar in another time zone: both would be unreadable to some program."""


def _timestamp(value: object) -> object:
    """A number is none, though pydantic would take it for seconds."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or re.fullmatch(TIMESTAMP_PATTERN, value) is None:
        raise ValueError("must be an RFC 3339 time between the years 2000 and 2199")
    return value


Timestamp = Annotated[
    datetime,
    BeforeValidator(_timestamp),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": TIMESTAMP_PATTERN, "maxLength": 40}),
]
"""A moment as people and programs write it into a custom resource."""
Second = Annotated[
    datetime,
    BeforeValidator(_timestamp),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "pattern": TIMESTAMP_PATTERN.replace(r"(\.[0-9]{1,9})?", ""),
            "maxLength": 40,
        }
    ),
]
"""One without a fraction, where nothing may be rounded."""


SENTENCE_LIMIT: Final = 1024
"""Characters of what is said in a status or an event (Kubernetes' own limit of an event's note)."""


def shortened(text: str, limit: int = SENTENCE_LIMIT) -> str:
    """The text; with an ellipsis at its end where it had to be cut."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _sentence(value: object) -> object:
    return shortened(value) if isinstance(value, str) else value


Sentence = Annotated[str, BeforeValidator(_sentence), StringConstraints(max_length=SENTENCE_LIMIT)]
"""What a status says to people. It quotes names and other programs' errors, and a long one must not make the write fail."""


class Model(BaseModel):
    """Immutable, camelCase outside; unknown fields are ignored, for a newer CRD may have more of them."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
    )

    def dump(self) -> dict[str, Any]:
        """The JSON object as Kubernetes stores it: camelCase, without what is None."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def rules(*pairs: tuple[str, str]) -> dict[str, Any]:
    """CEL rules (expression, message) for `json_schema_extra`; they end in the CRD."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message} for rule, message in pairs]}


ObjectName = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=OBJECT_NAME_PATTERN)]


class Metadata(Model):
    """The part of metadata that Vivero reads."""

    name: str
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    finalizers: tuple[str, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class Resource(Model):
    """A custom resource as the API server returns it; its class says how kubectl names and prints the kind."""

    plural: ClassVar[str]
    short: ClassVar[str]
    scale: ClassVar[dict[str, str] | None] = None
    """Paths of the scale subresource, where the kind is something that is scaled."""

    metadata: Metadata
    _unread_status: tuple[str, ...] = PrivateAttr(default=())

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def unread_status(self) -> tuple[str, ...]:
        """Fields of the stored status that could not be read: the next write of a status takes them away."""
        return self._unread_status

    def leaving_out(self, fields: tuple[str, ...]) -> Self:
        """This object, as read without these fields of its status."""
        self._unread_status = fields
        return self

    @classmethod
    def printer_columns(cls) -> list[dict[str, Any]]:
        """Columns of `kubectl get`; priority 1 only with -o wide."""
        raise NotImplementedError(f"{cls.__name__} has no columns")

    @classmethod
    def parse(cls, body: Any) -> Self:  # noqa: ANN401  an API server's JSON, checked here
        """Raises pydantic's ValidationError; `reading.read` tells it apart from what can still be handled."""
        return cls.model_validate(body)


def faults(error: ValidationError) -> str:
    """Which fields are at fault and why, in one line, without the values: they may be anything."""
    return "; ".join(
        f"{_path(one['loc'])}: {one['msg']}" for one in error.errors(include_input=False, include_url=False)
    )


def _path(location: Iterable[int | str]) -> str:
    return ".".join(map(str, location))
