"""Markdown of the manual and of sentences in the API's document, as HTML; pure.

What our own texts have, and no more: headings, paragraphs, lists, tables, fenced code; in a line `code`, **bold**, *places* and
[links](…). Whatever else looks like markup is shown as it is written.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from typing import Final

from markupsafe import Markup, escape

_INLINE: Final = re.compile(
    r"`(?P<code>[^`]+)`|\*\*(?P<bold>[^*]+)\*\*|\*(?P<place>[^*\s][^*]*)\*"
    r"|\[(?P<words>[^\]]+)\]\((?P<target>[^)\s]+)\)"
)
_FENCE: Final = "```"
_HEADING: Final = re.compile(r"(?P<level>#{1,4}) (?P<words>.+)")
_ITEM: Final = re.compile(r"(?P<mark>-|\d+\.) (?P<words>.*)")
_DIVIDER: Final = re.compile(r"\|[-:| ]+\|")
_NO_LETTERS: Final = re.compile(r"[^a-z0-9]+")

Target = Callable[[str], str]
"""Where a link of a text leads on a page."""


def anchor(words: str) -> str:
    """The id of a heading: `What it costs` is `what-it-costs`."""
    return _NO_LETTERS.sub("-", words.lower()).strip("-")


def inline(text: str, target: Target = str) -> Markup:
    """A line's text with its code, bold and slanted words, and links."""
    shown, after = Markup(), 0
    for found in _INLINE.finditer(text):
        shown += escape(text[after : found.start()]) + _marked(found, target)
        after = found.end()
    return shown + escape(text[after:])


def _marked(found: re.Match[str], target: Target) -> Markup:
    if found["code"]:
        return Markup("<code>{}</code>").format(found["code"])
    if found["bold"]:
        return Markup("<strong>{}</strong>").format(found["bold"])
    if found["place"]:
        return Markup("<em>{}</em>").format(found["place"])
    return Markup('<a class="link" href="{}">{}</a>').format(target(found["target"]), inline(found["words"]))


def blocks(text: str) -> Iterator[list[str]]:
    """The lines of each block: what blank lines separate, a fence with all that is in it, or a heading."""
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith(_FENCE):
            yield [line, *takewhile(lambda one: one != _FENCE, lines)]
        elif _HEADING.fullmatch(line):
            yield [line]
        elif line:
            yield [line, *takewhile(bool, lines)]


def html(text: str, target: Target = str) -> Markup:
    """The whole text; headings have ids, so that links lead to them."""
    return Markup("\n").join(_block(lines, target) for lines in blocks(text))


def _block(lines: Sequence[str], target: Target) -> Markup:
    first = lines[0]
    if first.startswith(_FENCE):
        return code("\n".join(lines[1:]))
    if found := _HEADING.fullmatch(first):
        level, words = len(found["level"]), found["words"]
        return Markup('<h{0} id="{1}">{2}</h{0}>').format(level, anchor(words), inline(words, target))
    if found := _ITEM.match(first):
        return _list("ul" if found["mark"] == "-" else "ol", lines, target)
    if len(lines) > 1 and _DIVIDER.fullmatch(lines[1]):
        return _table(lines, target)
    return Markup("<p>{}</p>").format(inline(" ".join(lines), target))


def code(text: str) -> Markup:
    """A block of code, which the keyboard scrolls too."""
    return Markup('<pre tabindex="0"><code>{}</code></pre>').format(text)


def _list(tag: str, lines: Sequence[str], target: Target) -> Markup:
    items: list[str] = []
    for line in lines:
        found = _ITEM.match(line)
        if found:
            items.append(found["words"])
        else:
            items[-1] += f" {line.strip()}"
    inside = Markup().join(Markup("<li>{}</li>").format(inline(one, target)) for one in items)
    return Markup("<{0}>{1}</{0}>").format(tag, inside)


def _table(lines: Sequence[str], target: Target) -> Markup:
    def row(line: str, tag: str) -> Markup:
        cells = (inline(one.strip(), target) for one in line.strip().strip("|").split(" | "))
        return Markup("<tr>{}</tr>").format(Markup().join(Markup("<{0}>{1}</{0}>").format(tag, one) for one in cells))

    head, body = row(lines[0], "th"), Markup().join(row(line, "td") for line in lines[2:])
    return Markup('<div class="v-doc-table" tabindex="0"><table>{}{}</table></div>').format(
        Markup("<thead>{}</thead>").format(head), Markup("<tbody>{}</tbody>").format(body)
    )
