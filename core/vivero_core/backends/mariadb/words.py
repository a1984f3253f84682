"""The words of a statement: quotes and comments as a MariaDB server reads them, and where each is. Pure."""

import re
from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple


class Sort(Enum):
    """Of a token."""

    WORD = "word"
    NAME = "quoted name"
    STRING = "string"
    MARK = "mark"
    END = "end"


class Token(NamedTuple):
    """A word, a name, a string or a mark."""

    sort: Sort
    text: str
    """Of a name without its quotes; of a string as it is written, escapes included."""

    @property
    def word(self) -> str:
        """In capitals, if it may be a keyword."""
        return self.text.upper() if self.sort is Sort.WORD else ""


class Placed(NamedTuple):
    """A token, and where its text is in the statement: the quotes are outside."""

    token: Token
    start: int
    end: int


LAST: Final = Token(Sort.END, "")


class LexerError(Exception):
    """The text is no sequence of tokens."""


@lru_cache(maxsize=4)
def _lexer(*, ansi_quotes: bool, backslashes: bool) -> re.Pattern[str]:
    """Possessive throughout: no text makes it search twice."""
    string = r"(?:[^{0}\\]|\\.|{0}{0})*+" if backslashes else r"(?:[^{0}]|{0}{0})*+"
    double = r'(?:[^"]|"")*+' if ansi_quotes else string.format('"')
    return re.compile(
        rf"""
          (?P<blank>[ \t\n\r\f\v]++ | --(?=[\x00-\x20\x7f]|\Z)[^\n]*+ | \#[^\n]*+)
        | (?P<code>/\*M?!(?:[0-9]{{5,6}})?)
        | (?P<comment>/\*(?:[^*]|\*(?!/))*+\*/)
        | (?P<end>\*/)
        | (?P<word>[0-9A-Za-z_$\x80-\U0010ffff]++)
        | `(?P<name>(?:[^`]|``)*+)`
        | "(?P<double>{double})"
        | '(?P<string>{string.format("'")})'
        | (?P<bad>[`"']|/\*)
        | (?P<mark>.)
        """,
        re.VERBOSE | re.DOTALL,
    )


def lexed(text: str, *, ansi_quotes: bool, backslashes: bool) -> Iterator[Placed]:
    """The tokens of a statement, without comments.

    One that is marked as code is code: the server writes a blank in place of its `!` into the log unless it has executed it.

    Raises:
        LexerError: a quote or a comment has no end.
    """
    in_code = False
    for match in _lexer(ansi_quotes=ansi_quotes, backslashes=backslashes).finditer(text):
        match match.lastgroup:
            case "code":
                in_code = True
            case "end":
                in_code = False
            case "bad":
                raise LexerError("a quote or a comment has no end")
            case str(sort) if token := _token(match, sort, ansi_quotes=ansi_quotes):
                yield Placed(token, *match.span(sort))
    if in_code:
        raise LexerError("a comment has no end")


def _token(match: re.Match[str], sort: str, *, ansi_quotes: bool) -> Token | None:
    """The token of this match; None for a blank or a comment."""
    match sort:
        case "word":
            return Token(Sort.WORD, match[0])
        case "mark":
            return Token(Sort.MARK, match[0])
        case "name":
            return Token(Sort.NAME, match["name"].replace("``", "`"))
        case "double" if ansi_quotes:
            return Token(Sort.NAME, match["double"].replace('""', '"'))
        case "string" | "double":
            return Token(Sort.STRING, match[sort])
        case _:
            return None
