"""All field types. A new one needs a module here, an entry below, and its display on pages (`_values.html.j2`)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from vivero_data.domain.field_types.autonumber import Autonumber
from vivero_data.domain.field_types.boolean import Boolean
from vivero_data.domain.field_types.choice import Choice
from vivero_data.domain.field_types.choices import Choices
from vivero_data.domain.field_types.date import Date
from vivero_data.domain.field_types.email import Email
from vivero_data.domain.field_types.file import File
from vivero_data.domain.field_types.formula import Formula
from vivero_data.domain.field_types.integer import Integer
from vivero_data.domain.field_types.kind import FieldKind
from vivero_data.domain.field_types.link import Link, Person
from vivero_data.domain.field_types.long_text import LongText
from vivero_data.domain.field_types.moment import Moment
from vivero_data.domain.field_types.money import Money
from vivero_data.domain.field_types.number import Number
from vivero_data.domain.field_types.text import Text
from vivero_data.domain.field_types.through import Lookup, Rollup
from vivero_data.domain.field_types.url import Url


class FieldType(StrEnum):
    """A field's type: how its values are validated and stored."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    CHOICE = "choice"
    EMAIL = "email"
    URL = "url"
    MONEY = "money"
    CHOICES = "choices"
    AUTONUMBER = "autonumber"
    LINK = "link"
    PERSON = "person"
    LOOKUP = "lookup"
    ROLLUP = "rollup"
    FILE = "file"
    FORMULA = "formula"

    @property
    def kind(self) -> FieldKind:
        """The type's implementation."""
        return _KINDS[self]


_KINDS: Final[Mapping[FieldType, FieldKind]] = {
    FieldType.TEXT: Text(),
    FieldType.LONG_TEXT: LongText(),
    FieldType.NUMBER: Number(),
    FieldType.INTEGER: Integer(),
    FieldType.BOOLEAN: Boolean(),
    FieldType.DATE: Date(),
    FieldType.DATETIME: Moment(),
    FieldType.CHOICE: Choice(),
    FieldType.EMAIL: Email(),
    FieldType.URL: Url(),
    FieldType.MONEY: Money(),
    FieldType.CHOICES: Choices(),
    FieldType.AUTONUMBER: Autonumber(),
    FieldType.LINK: Link(),
    FieldType.PERSON: Person(),
    FieldType.LOOKUP: Lookup(),
    FieldType.ROLLUP: Rollup(),
    FieldType.FILE: File(),
    FieldType.FORMULA: Formula(),
}
