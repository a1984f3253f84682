"""The HTML part of a mail: one look for all mails, made of escaped text alone; pure.

Styles are inlined, because many mail programs drop all others; the few for a dark background are added for those that
keep them. There are no images: a mail reads the same where they are blocked.
"""

import re
from collections.abc import Sequence
from html import escape
from typing import Final

_FONT: Final = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_INK: Final = "color:#1c1c19"
_MUTED: Final = "color:#5f5f59"
_LINE: Final = "#dddcd5"
_CELL: Final = f"padding:7px 10px;border-bottom:1px solid {_LINE};font-size:14px;line-height:20px;vertical-align:top"
_LINK_LINE: Final = re.compile(r"https?://\S+\Z")
_DARK: Final = (
    "@media (prefers-color-scheme:dark){.v-page{background:#161613!important}.v-card{background:#1d1d1a!important;"
    "border-color:#3a3a35!important}.v-ink{color:#ecebe5!important}.v-muted{color:#a8a79f!important}"
    ".v-cell{border-color:#3a3a35!important}}"
)


def document(subject: str, *blocks: str) -> str:
    """A whole HTML document of blocks that the functions below made."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        f"<title>{escape(subject)}</title><style>{_DARK}</style></head>"
        f'<body class="v-page" style="margin:0;padding:0;background:#f6f5f0;{_FONT}">'
        '<div role="article" style="max-width:680px;margin:0 auto;padding:24px 12px">'
        f'<div class="v-card" style="background:#ffffff;border:1px solid {_LINE};border-radius:12px;padding:24px">'
        f"{''.join(blocks)}</div></div></body></html>"
    )


def heading(text: str, level: int = 1) -> str:
    """A heading of level 1 or 2."""
    size, above = ("20px", "0") if level == 1 else ("16px", "24px")
    return (
        f'<h{level} class="v-ink" dir="auto" style="margin:{above} 0 12px;font-size:{size};line-height:1.3;'
        f'font-weight:600;overflow-wrap:anywhere;{_INK}">{escape(text)}</h{level}>'
    )


def paragraph(text: str, *, muted: bool = False) -> str:
    """A paragraph, with its line breaks."""
    kind, size = ("v-muted", f"13px;{_MUTED}") if muted else ("v-ink", f"15px;{_INK}")
    words = escape(text).replace("\n", "<br>")
    return (
        f'<p class="{kind}" dir="auto" style="margin:0 0 14px;line-height:1.55;overflow-wrap:anywhere;'
        f'font-size:{size}">{words}</p>'
    )


def button(label: str, address: str) -> str:
    """A link that is to be followed; the address stands below it, for who does not click on what cannot be read."""
    at = escape(address)
    return (
        f'<p style="margin:20px 0 8px"><a href="{at}" style="display:inline-block;padding:12px 20px;border-radius:8px;'
        f'background:#166b38;color:#ffffff;font-size:15px;font-weight:600;text-decoration:none">{escape(label)}</a></p>'
        f'<p class="v-muted" style="margin:0 0 16px;font-size:12px;line-height:1.5;overflow-wrap:anywhere;{_MUTED}">{at}</p>'
    )


def link(label: str, address: str) -> str:
    """A quiet link, as a paragraph of its own."""
    return (
        f'<p class="v-muted" style="margin:0 0 6px;font-size:13px;line-height:1.55;{_MUTED}">'
        f'<a class="v-muted" href="{escape(address)}" style="{_MUTED}">{escape(label)}</a></p>'
    )


def table(heads: Sequence[str], lead: int, rows: Sequence[Sequence[str]], total: Sequence[str] = ()) -> str:
    """A table whose first `lead` columns name what a row is about, and whose others are figures."""
    body = "".join(_row(row, lead) for row in rows)
    foot = f"<tfoot>{_row(total, lead, bold=True)}</tfoot>" if total else ""
    return (
        '<table style="width:100%;border-collapse:collapse;margin:0 0 12px">'
        f"<thead>{_row(heads, lead, tag='th', bold=True)}</thead><tbody>{body}</tbody>{foot}</table>"
    )


def _row(cells: Sequence[str], lead: int, *, tag: str = "", bold: bool = False) -> str:
    return f"<tr>{''.join(_cell(cell, index, lead, tag, bold=bold) for index, cell in enumerate(cells))}</tr>"


def _cell(text: str, index: int, lead: int, tag: str, *, bold: bool) -> str:
    names = index < lead
    tag = tag or ("th" if names else "td")
    scope = ' scope="row"' if tag == "th" and not bold else ' scope="col"' if tag == "th" else ""
    align, weight = "left" if names else "right", "600" if bold else "400"
    return (
        f'<{tag}{scope} class="v-cell v-ink" dir="auto" style="{_CELL};{_INK};text-align:{align};font-weight:{weight};'
        f'overflow-wrap:anywhere">{escape(text)}</{tag}>'
    )


def of_text(subject: str, text: str) -> str:
    """The HTML of a mail that is text alone: its paragraphs, and a button for each link that has its own line."""
    blocks = [_block([line.strip() for line in one.splitlines()]) for one in text.strip().split("\n\n") if one.strip()]
    return document(subject, heading(subject), *blocks)


def _block(lines: Sequence[str]) -> str:
    if all(map(_LINK_LINE.match, lines)):
        return "".join(button("Open", line) for line in lines)
    return paragraph(" ".join(lines))
