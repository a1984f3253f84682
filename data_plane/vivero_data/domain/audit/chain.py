"""The chain of seals over the audit log (ADR 0053); pure.

A seal says of the entries since the one before: the number and a digest of each, and the hash of the seal before. Who
changes an entry changes its digest, who changes a seal its hash, and the head's hash is in the bucket.
"""

import hashlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from vivero_web.errors import WebError

from vivero_data.lib.json import encode

SHORT: Final = 16
"""Hexadecimal digits of an entry's digest that a seal keeps, to name the entry that was changed."""


class Kind(StrEnum):
    """What was done to the log."""

    EDITED = "edited"
    DELETED = "deleted"
    INSERTED = "inserted"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    REWRITTEN = "rewritten"
    ANCHOR_MISSING = "anchor missing"


class BrokenChainError(WebError):
    """The log or an anchor is not what was sealed, so nothing may be sealed behind it."""


class ChainProblem(msgspec.Struct, frozen=True):
    """The first thing that is wrong; without an entry where it cannot be told which."""

    kind: Annotated[Kind, msgspec.Meta(description="What was done to the log.")]
    entry: Annotated[int | None, msgspec.Meta(description="The number of the entry that it was done to.")]
    message: Annotated[str, msgspec.Meta(description="The same as a sentence.")]


class Mark(msgspec.Struct, frozen=True):
    """An entry's number and the SHA-256 of its other columns, in hexadecimal digits."""

    id: int
    digest: str


class Seal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is stored of one; `hash` is of all the others, as compact JSON in this order.

    Attributes:
        number: 1 for the first, and one more for each.
        workspace: id of the workspace that sealed; another one's in a restored copy.
        previous: hash of the seal before; empty for the first.
        salt: goes into the digests, so that what was erased cannot be looked up by its digest elsewhere.
        at: when, in UTC, as the seal's own entry has it.
        last: number of the last entry that it covers.
        digest: of the entries' numbers and whole digests.
        entries: their numbers, each with the beginning of its digest.
    """

    number: int
    workspace: str
    previous: str
    salt: str
    at: str
    last: int
    digest: str
    entries: tuple[tuple[int, str], ...]
    hash: str = ""


class Head(msgspec.Struct, frozen=True):
    """A seal, and the number of the entry that it is stored as."""

    entry: int
    seal: Seal


def next_seal(head: Seal | None, workspace: str, salt: str, at: str, marks: Sequence[Mark]) -> Seal:
    """The seal of these entries, of which there is at least one."""
    number, previous = (head.number + 1, head.hash) if head else (1, "")
    entries = tuple((mark.id, mark.digest[:SHORT]) for mark in marks)
    made = Seal(number, workspace, previous, salt, at, marks[-1].id, digest_of(marks), entries)
    return msgspec.structs.replace(made, hash=hash_of(made))


def digest_of(marks: Sequence[Mark]) -> str:
    return hashlib.sha256("\n".join(f"{mark.id} {mark.digest}" for mark in marks).encode()).hexdigest()


def hash_of(seal: Seal) -> str:
    return hashlib.sha256(encode(msgspec.structs.replace(seal, hash="")).encode()).hexdigest()


def read_seal(text: str | None) -> Seal | None:
    """The seal that is stored as this text; None if it is not letter for letter what was stored."""
    try:
        seal = msgspec.json.decode(text or "", type=Seal)
    except msgspec.DecodeError:
        return None
    return seal if hash_of(seal) == seal.hash and encode(seal) == text else None


def follows(seal: Seal, entry: int, before: Head | None, marks: Sequence[Mark]) -> ChainProblem | None:
    """What is wrong between this seal, stored as `entry`, and the one before it; `marks` are what it covers now."""
    expected = before.seal.number + 1 if before else 1
    if seal.number > expected:
        there = {mark.id for mark in marks}
        gap = next((number for number, _ in seal.entries if number not in there), None)
        return ChainProblem(Kind.DELETED, gap, f"Seal {expected} is missing before seal {seal.number}.")
    if seal.number < expected:
        return ChainProblem(Kind.INSERTED, entry, f"Seal {seal.number} is there twice.")
    if before and seal.previous != before.seal.hash:
        text = f"Seal {seal.number} follows another seal {before.seal.number} than the one that is there."
        return ChainProblem(Kind.REWRITTEN, before.entry, text)
    return None


def compare(seal: Seal, marks: Sequence[Mark]) -> ChainProblem | None:
    """The first entry that is not as it was sealed, in the order of numbers."""
    sealed, there = dict(seal.entries), {mark.id: mark.digest[:SHORT] for mark in marks}
    for number in sorted(sealed.keys() | there.keys()):
        if sealed.get(number) != there.get(number):
            return _difference(number, sealed, there)
    if digest_of(marks) != seal.digest:
        return ChainProblem(Kind.EDITED, None, f"An entry of seal {seal.number} is not what was sealed.")
    return None


def _difference(number: int, sealed: Mapping[int, str], there: Mapping[int, str]) -> ChainProblem:
    was, now = sealed.get(number), there.get(number)
    if now is None:
        place = next((other for other, digest in there.items() if digest == was and sealed.get(other) != was), None)
        if place is None:
            return ChainProblem(Kind.DELETED, number, f"Entry {number} was deleted.")
        return ChainProblem(Kind.REORDERED, number, f"Entry {number} is now entry {place}.")
    place = next((other for other, digest in sealed.items() if digest == now and there.get(other) != now), None)
    if place is not None:
        return ChainProblem(Kind.REORDERED, number, f"Entry {number} was entry {place} when it was sealed.")
    if was is None:
        return ChainProblem(Kind.INSERTED, number, f"Entry {number} was added after the entries around it were sealed.")
    return ChainProblem(Kind.EDITED, number, f"Entry {number} was changed after it was sealed.")
