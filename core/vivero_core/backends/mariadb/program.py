"""What a program of a schema is: a view, trigger, function, procedure or package, as text (ADR 0049). Pure."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Final

from pydantic import TypeAdapter, ValidationError

from vivero_core.backends.mariadb.errors import SYSTEM
from vivero_core.backends.mariadb.words import LAST, LexerError, Placed, Sort, lexed
from vivero_core.errors import BackendRefusedError

VIEW: Final = "VIEW"
TRIGGER: Final = "TRIGGER"
ROUTINES: Final = ("FUNCTION", "PROCEDURE", "PACKAGE", "PACKAGE BODY")
_KINDS: Final = (VIEW, TRIGGER, *ROUTINES)
_OPTIONS: Final = {"ALGORITHM": 3, "SQL": 3, "AGGREGATE": 1}
"""Of a statement's head, and how many tokens each is."""
_OF_DEFINER: Final = 5
"""Tokens of a definer that is a user."""
_ANSI_QUOTES: Final = "ANSI_QUOTES"
_NO_BACKSLASHES: Final = "NO_BACKSLASH_ESCAPES"


class ProgramError(BackendRefusedError):
    """A program that cannot be read or made; the sentence names it."""

    def __init__(self, system: str, sentence: str) -> None:
        super().__init__(system, sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Program:
    """One of them."""

    kind: str
    """As a statement names it: VIEW, TRIGGER, FUNCTION, PROCEDURE, PACKAGE, PACKAGE BODY."""
    name: str
    parts: tuple[str, ...]
    """Its CREATE statement without a definer, cut where it names its own schema."""
    sql_mode: str = ""
    collation: str = ""
    """Of the connection that it was made over: that of its literals."""
    schema_collation: str = ""
    """The schema's default when it was made: that of a routine's parameters."""
    invalid: bool = False
    """A view of something that is not there: nobody can make it."""

    def __str__(self) -> str:
        return f"{self.kind.lower()} {self.name}"

    def statement(self, schema: str) -> str:
        """What makes it in this schema, over a connection to it."""
        return schema.join(self.parts)

    def placed(self, schema: str) -> list[Placed]:
        """The tokens of that. Raises ProgramError."""
        return _placed(str(self), self.statement(schema), self.sql_mode)

    def names(self, ident: str) -> bool:
        """Whether it holds this id of a tenant beside the names of its own schema: as an alias, or in a text that it runs."""
        return any(ident in placed.token.text.casefold() for placed in self.placed("here"))

    def dump(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def load(cls, text: str) -> "Program":
        """Raises ProgramError."""
        try:
            return TypeAdapter(cls).validate_json(text)
        except ValidationError as error:
            raise ProgramError(SYSTEM, "what is stored of a program is none") from error


@dataclass(frozen=True)
class Foreign:
    """A routine that is another account's than its schema's owner, who cannot read it."""

    program: Program
    altered: str
    """When it was changed last, by the server's clock: what is read is still this one."""


@dataclass(frozen=True)
class Others:
    """What others than its owner have made in a schema."""

    routines: tuple[Foreign, ...] = ()
    events: tuple[str, ...] = ()
    """Their names; no tenant may have one."""


def renamed(text: str, schema: str, other: str) -> str:
    """A statement of the mode that dumps have, for another schema. Raises ProgramError."""
    return other.join(_parts(text, _placed("a statement", text, ""), schema))


def of_shown(kind: str, name: str, text: str | None, schema: str, **settings: str | bool) -> Program:
    """The program of this schema that a server shows so. Raises ProgramError."""
    told = f"{kind.lower()} {name}"
    if text is None:
        raise ProgramError(
            SYSTEM, f"{told} of {schema} belongs to another account, or was changed since this was ordered"
        )
    placed = _placed(told, text, str(settings.get("sql_mode", "")))
    return Program(kind, name, _parts(text, placed, schema), **settings)  # type: ignore[arg-type]  # as the three callers name them


def _parts(text: str, placed: Sequence[Placed], schema: str) -> tuple[str, ...]:
    """Cut out what follows the schema's name of everywhere, and from its head the definer."""
    found, begun = [""], 0
    cuts = [(start, end, False) for start, end in _surplus(placed)]
    cuts += [(one.start, one.end, True) for one in _qualifiers(placed, schema)]
    for start, end, named in sorted(cuts):
        found[-1] += text[begun:start]
        begun = end
        if named:
            found.append("")
    found[-1] += text[begun:]
    return tuple(found)


def _qualifiers(placed: Sequence[Placed], schema: str) -> Iterator[Placed]:
    """Where a name follows this schema's own."""
    before = LAST
    for one, following in pairwise(placed):
        if (
            one.token.sort in (Sort.WORD, Sort.NAME)
            and one.token.text.casefold() == schema
            and following.token == (Sort.MARK, ".")
            and before != (Sort.MARK, ".")
        ):
            yield one
        before = one.token


def _surplus(placed: Sequence[Placed]) -> Iterator[tuple[int, int]]:
    """Of a statement's head: OR REPLACE, and the definer with what follows of it."""
    for number, one in enumerate(placed[:-_OF_DEFINER]):
        if one.token.word == "OR":
            yield one.start, placed[number + 2].start
        elif one.token.word == "DEFINER":
            whole = placed[number + 3].token == (Sort.MARK, "@")  # a role has no host
            yield one.start, placed[number + (_OF_DEFINER if whole else _OF_DEFINER - 2)].start
            return
        elif one.token.word in _KINDS:
            return


def require_kind(program: Program, schema: str) -> None:
    """Its statement makes what it says, in nobody else's name; a function of a library is none. Raises ProgramError."""
    tokens = [one.token for one in program.placed(schema)] + [LAST] * 3
    words = [token.word for token in tokens]
    at = 1
    while (length := _OPTIONS.get(words[at])) is not None:
        at += length
    kind = program.kind.split()
    of_library = program.kind == "FUNCTION" and (Sort.MARK, "(") not in (tokens[at + 2], tokens[at + 4])
    if words[0] != "CREATE" or program.kind not in _KINDS or words[at : at + len(kind)] != kind or of_library:
        raise ProgramError(SYSTEM, f"what is stored of {program} does not make one")


def _placed(told: str, text: str, sql_mode: str) -> list[Placed]:
    modes = sql_mode.split(",")
    try:
        return list(lexed(text, ansi_quotes=_ANSI_QUOTES in modes, backslashes=_NO_BACKSLASHES not in modes))
    except LexerError as error:
        raise ProgramError(SYSTEM, f"{told} cannot be read: {error}") from error
