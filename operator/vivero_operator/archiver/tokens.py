"""Reads the words of a statement of the binary log: quotes and comments as its server read them, names with qualifiers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from vivero_core.backends.mariadb.words import LAST, LexerError, Sort, Token, lexed

from vivero_operator.archiver.bodies import Query, decoded
from vivero_operator.archiver.events import BinlogError

_ANSI_QUOTES: Final = 1 << 2
_NO_BACKSLASH_ESCAPES: Final = 1 << 20
_NOPAD: Final = 1024
_GBK, _BIG5, _SJIS = (
    re.compile(pattern)
    for pattern in (
        b"[\x81-\xfe][\x40-\x7e\x80-\xfe]",
        b"[\xa1-\xf9][\x40-\x7e\xa1-\xfe]",
        b"[\x81-\x9f\xe0-\xfc][\x40-\x7e\x80-\xfc]",
    )
)
_CHARACTERS: Final = {
    number + nopad: characters
    for characters, numbers in {_BIG5: (1, 84), _SJIS: (13, 88, 95, 96), _GBK: (28, 87)}.items()
    for number in numbers
    for nopad in (0, _NOPAD)
}
"""By collation, characters of two bytes the second of which may be a backslash or a backtick, as the server knows them."""
_SHOWN_WORD: Final = re.compile(r"[A-Za-z]{1,20}")


class StatementError(BinlogError):
    """A statement that is not understood, or that no row-based log holds. Shows its first word alone."""


def _tokens(query: Query) -> Iterator[Token]:
    """The tokens of a statement, without comments."""
    modes = {
        "ansi_quotes": bool(query.sql_mode & _ANSI_QUOTES),
        "backslashes": not query.sql_mode & _NO_BACKSLASH_ESCAPES,
    }
    for placed in lexed(_text(query), **modes):
        yield placed.token
    yield LAST


def _text(query: Query) -> str:
    """Without the characters that would pass for quotes: no name that is somebody's has one."""
    characters = _CHARACTERS.get(query.charset)
    return decoded(
        query.text if characters is None else characters.sub("\N{REPLACEMENT CHARACTER}".encode(), query.text)
    )


@dataclass
class Cursor:
    """Walks over the tokens of one statement, and notes what it meets."""

    query: Query
    changed: set[str] = field(default_factory=set)
    referred: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._tokens = _tokens(self.query)
        self._before = self._last = LAST
        self._first = "nothing readable"
        self.next = self._pull()
        if _SHOWN_WORD.fullmatch(self.next.text):
            self._first = self.next.word

    def error(self, why: str) -> StatementError:
        return StatementError(f"a statement that begins with {self._first} is not understood: {why}")

    def take(self) -> Token:
        """The next token."""
        taken = self.next
        if taken == (Sort.MARK, ".") and self._before.word == "REFERENCES":
            self.referred.add(self._last.text)
        self._before, self._last = self._last, taken
        if taken is not LAST:
            self.next = self._pull()
        return taken

    @property
    def ended(self) -> bool:
        return self.next.sort is Sort.END

    def drain(self) -> None:
        """Take the rest, so that it is known to be words."""
        while not self.ended:
            self.take()

    def at(self, *words: str) -> bool:
        return self.next.word in words

    def at_mark(self, mark: str) -> bool:
        return self.next == (Sort.MARK, mark)

    def skip(self, *words: str) -> bool:
        """Take these words if the first is next; the others then have to follow."""
        if not self.at(words[0]):
            return False
        self.take()
        for word in words[1:]:
            self.expect(word)
        return True

    def skip_mark(self, mark: str) -> bool:
        if not self.at_mark(mark):
            return False
        self.take()
        return True

    def expect(self, *words: str) -> str:
        """Take the next word, which has to be one of these."""
        if not self.at(*words):
            raise self.error(f"{' or '.join(words)} is missing")
        return self.take().word

    def skip_to(self, *words: str) -> bool:
        """Up to one of these words outside parentheses; whether there is one."""
        depth = 0
        while not self.ended:
            if depth == 0 and self.at(*words) and self._last != (Sort.MARK, "."):
                return True
            depth += self.at_mark("(") - self.at_mark(")")
            self.take()
        return False

    def name(self) -> str:
        """A name without a qualifier."""
        if self.next.sort not in (Sort.WORD, Sort.NAME):
            raise self.error("a name is missing")
        return self.take().text

    def located(self) -> str:
        """The schema of a table, view, routine …, by its name; empty without one."""
        schema = self.query.schema
        if not self.skip_mark("."):  # `.t` is `t`
            first = self.name()
            if not self.skip_mark("."):
                return schema
            schema = first
        self.name()
        if self.at_mark("."):
            raise self.error("a name of three parts")
        return schema

    def thing(self) -> None:
        """A table, view, routine … that is changed."""
        self.change(self.located())

    def things(self) -> None:
        self.thing()
        while self.skip_mark(","):
            self.thing()

    def change(self, schema: str) -> None:
        if not schema:
            raise self.error("a name without a schema, in a session without one")
        self.changed.add(schema)

    def _pull(self) -> Token:
        try:
            return next(self._tokens)
        except LexerError as error:
            raise self.error(str(error)) from error
