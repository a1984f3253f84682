"""The words of a report or a dashboard in a mail, as text and as HTML; pure."""

from collections.abc import Sequence
from typing import Final

from vivero_ui.filters import plural
from vivero_web import mail_html

from vivero_data.domain.identity.service import Identity
from vivero_data.domain.report_mails.contents import Figures, Listed, Part, Shown
from vivero_data.lib.notation import Notation
from vivero_data.web import writing
from vivero_data.web.reports import Table, table_of

MOST_ROWS: Final = 50
MOST_COLUMNS: Final = 8
_WIDEST: Final = 32  # characters of a column of the text
_NOTHING: Final = "No record matches."


def letter(shown: Shown, identity: Identity, stop: str, notation: Notation) -> tuple[str, str]:
    """The text and the HTML of the mail; `stop` is the address that ends these mails."""
    address = f"{identity.public_url}{shown.path}"
    with writing.writing(notation):
        parts = [_part(part, alone=len(shown.parts) == 1) for part in shown.parts]
    text = [
        shown.name,
        *(text for text, _ in parts),
        f"Open it in {identity.name}:\n{address}",
        f"Get no more:\n{stop}",
    ]
    html = mail_html.document(
        shown.name,
        mail_html.heading(shown.name),
        *(html for _, html in parts),
        mail_html.button("Open in the workspace", address),
        mail_html.paragraph(f"Sent by the workspace {identity.name}, because a report is sent to you.", muted=True),
        mail_html.link("Get no more of these mails", stop),
    )
    return "\n\n".join(text) + "\n", html


def _part(part: Part, *, alone: bool) -> tuple[str, str]:
    if isinstance(part, Listed):
        words = f"{part.title}: the workspace shows its records."
        return words, mail_html.paragraph(words, muted=True)
    if not isinstance(part, Figures):
        return part.text, mail_html.paragraph(part.text)
    text, html = _figures(part)
    return (text, html) if alone else (f"{part.title}\n{text}", mail_html.heading(part.title, 2) + html)


def _figures(part: Figures) -> tuple[str, str]:
    if part.data is None or not part.data.rows:
        words = part.problem or _NOTHING
        return words, mail_html.paragraph(words, muted=True)
    table, left_out = bounded(table_of(part.definition, part.data))
    about = f"{plural(part.data.records, 'record')}, as of {writing.moment(part.data.as_of)}.{left_out}"
    html = mail_html.table(table.heads, table.lead, table.rows, table.total) + mail_html.paragraph(about, muted=True)
    return f"{as_text(table)}\n{about}", html


def bounded(table: Table) -> tuple[Table, str]:
    """As much of a table as a mail holds, and what that leaves out, in words."""
    rows, columns = table.rows[:MOST_ROWS], len(table.heads)
    kept = [*range(columns)] if columns <= MOST_COLUMNS else [*range(MOST_COLUMNS - 1), columns - 1]

    def cut(cells: Sequence[str]) -> tuple[str, ...]:
        return tuple(cells[index] for index in kept) if cells else ()

    said = ""
    if len(rows) < len(table.rows) or len(kept) < columns:
        said = f" This mail has {len(rows)} of {len(table.rows)} rows and {len(kept)} of {columns} columns."
    return Table(cut(table.heads), table.lead, tuple(map(cut, rows)), cut(table.total)), said


def as_text(table: Table) -> str:
    """Columns of one width, figures to the right."""
    lines = [table.heads, *table.rows, *([table.total] if table.total else [])]
    short = [[_cut(cell) for cell in line] for line in lines]
    widths = [max(len(line[index]) for line in short) for index in range(len(table.heads))]
    return "\n".join(
        "  ".join(
            cell.ljust(widths[index]) if index < table.lead else cell.rjust(widths[index])
            for index, cell in enumerate(line)
        ).rstrip()
        for line in short
    )


def _cut(cell: str) -> str:
    words = " ".join(cell.split())
    return words if len(words) <= _WIDEST else f"{words[: _WIDEST - 1]}…"
