"""Template filters of the workspace's pages, besides those of the UI kit; pure."""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import msgspec
from vivero_ui.filters import bytes_, number

from vivero_data.domain.collections.schemas import Field
from vivero_data.domain.field_types.kind import Operator
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.files.content import PICTURES
from vivero_data.domain.records.filters import Filter
from vivero_data.domain.records.schemas import Record
from vivero_data.domain.usage.published import LimitGroup, PublishedLimit
from vivero_data.domain.usage.service import Usage
from vivero_data.lib.lists import join_list, split_list
from vivero_data.web import audit_labels, columns, operators, roles, writing
from vivero_data.web import format as words
from vivero_data.web.listing import collection_href, view_href
from vivero_data.web.markdown import inline

_NAME_LENGTH: Final = 120  # characters of a heading: five lines on a phone
_ICONS: Final = (
    ("image/", "file-image"),
    ("text/", "file-text"),
    ("application/pdf", "file-text"),
    ("application/zip", "archive"),
)


def web_address(text: str) -> bool:
    """Whether a stored web address may become a link: http and https only, never a script."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


def without_scheme(address: str) -> str:
    """A web address without its scheme."""
    return address.partition("://")[2].removesuffix("/") or address


class NearLimit(msgspec.Struct, frozen=True):
    """A limit that is reached (`full`) or almost reached."""

    words: str
    full: bool


def near_limits(usage: Usage, only: str = "") -> list[NearLimit]:
    """The limits of which 80 % or more are used, full ones first; `only` one of records, users, storage."""
    meters = (
        ("records", usage.records, number),
        ("users", usage.users, number),
        ("storage", usage.storage_bytes, bytes_),
    )
    found = [
        NearLimit(
            f"{name} {words_of(meter.used)} of {words_of(meter.limit)}", words.level(meter.used, meter.limit) == "error"
        )
        for name, meter, words_of in meters
        if only in {"", name} and words.level(meter.used, meter.limit) != "ok"
    ]
    return sorted(found, key=lambda one: not one.full)


def limit_facts(group: LimitGroup) -> list[tuple[str, str]]:
    """Each limit with its figure, and what is used of it where that is known."""

    def words_of(one: PublishedLimit, figure: int | None) -> str:
        if figure is None:
            return "unlimited"
        return bytes_(figure) if one.unit == "bytes" else number(figure)

    return [
        (
            one.name,
            words_of(one, one.limit)
            if one.used is None
            else f"{words_of(one, one.used)} of {words_of(one, one.limit)}",
        )
        for one in group.limits
    ]


def choice_options(choices: tuple[str, ...], chosen: str) -> list[tuple[str, str]]:
    """The options of a choice; a stored value that was removed from the choices stays selectable."""
    gone = [chosen] if chosen and chosen not in choices else []
    return [("", "Choose one"), *((choice, choice) for choice in [*choices, *gone])]


def box_options(choices: tuple[str, ...], text: str) -> list[str]:
    """The boxes of several choices; a stored value that was removed from the choices keeps its box."""
    return [*choices, *(one for one in chosen_boxes(text) if one not in choices)]


def chosen_boxes(text: str) -> list[str]:
    """The choices that the text of an input names."""
    return [one for one in split_list(text) if one]


def picker(field: Field) -> str:
    """Where the choices for a link are."""
    return "/links/people" if field.type is FieldType.PERSON else f"/links/{field.options.collection}"


def equals(field: str, value: int) -> str:
    """The condition that a field has this value, for an address."""
    return str(Filter(field, Operator.EQ, str(value)))


def rules(field: Field) -> str:
    """A field's constraints, in a few words."""
    said = [
        word
        for word, holds in (
            ("Required", field.required),
            ("No two the same", field.unique and (field.exact or field.kind.exact is None)),
            ("No two that read alike", field.unique and not field.exact and field.kind.exact is not None),
            ("Not sortable", not field.indexed),
        )
        if holds
    ]
    return ", ".join(said) or "None"


def record_title(record: Record, lead: Field) -> str:
    """A record's title: the beginning of its leading field's value."""
    name = words.cell(record.values.get(lead.name))
    return f"{name[:_NAME_LENGTH]}…" if len(name) > _NAME_LENGTH else name or f"Record {record.id}"


def file_icon(media_type: str) -> str:
    return next((icon for start, icon in _ICONS if media_type.startswith(start)), "file")


def picture(media_type: str) -> bool:
    """Whether a browser can show such a file in its place."""
    return media_type in PICTURES


def page_filters() -> dict[str, Callable[..., object]]:
    """All filters by their names in templates."""
    return {
        "level": words.level,
        "invitation_state": words.invitation_state,
        "shown": words.cell,
        "money": writing.money,
        "picker": picker,
        "equals": equals,
        "zoned": writing.zoned,
        "raw": writing.raw,
        "column_key": columns.key_of,
        "total_shown": operators.total_shown,
        "total_words": operators.TOTALS.get,
        "collection_href": collection_href,
        "view_href": view_href,
        "join_list": join_list,
        "near_limits": near_limits,
        "limit_facts": limit_facts,
        "without_scheme": without_scheme,
        "web_address": web_address,
        "format_moment": writing.moment,
        "format_day": writing.day,
        "choice_options": choice_options,
        "box_options": box_options,
        "chosen_boxes": chosen_boxes,
        "rules": rules,
        "record_title": record_title,
        "role_words": roles.role_words,
        "role_meaning": roles.role_meaning,
        "file_icon": file_icon,
        "picture": picture,
        "inline_markdown": inline,
        "headline": audit_labels.headline,
        "badge_kind": audit_labels.badge_kind,
        "changes": audit_labels.changes,
        "subject_href": audit_labels.subject_href,
    }
