"""How far a server's log has been archived, in the backup bucket; not secret.

servers/<uid of the DatabaseServer>/beginning       JSON: the first transaction that was archived
servers/<uid of the DatabaseServer>/position        JSON
<tenant id>/lost                                    JSON: its last transaction that is missing from its chain
servers/<uid of the DatabaseServer>/gaps/<number>   JSON: what is missing from all chains of its tenants
"""

import json
from dataclasses import dataclass, field, replace
from typing import Self, TypeVar

from pydantic import TypeAdapter, ValidationError

from vivero_operator.operations.object_store import ObjectStore
from vivero_operator.operations.program import StepFailedError


@dataclass(frozen=True)
class Position:
    """Up to where everything is in the bucket."""

    gtids: dict[int, str] = field(default_factory=dict)
    """By domain, the last transaction before which nothing is left to archive."""
    until: int = 0
    """Unix seconds by the server's clock: whatever was committed before is archived."""
    waiting: dict[str, int] = field(default_factory=dict)
    """Tenants without a key, and up to where theirs is archived instead."""
    prepared: dict[str, str | None] = field(default_factory=dict)
    """Owners of XA transactions that are prepared and not ended, by xid in hexadecimal digits."""

    @property
    def connect_state(self) -> str:
        """For the server: GTIDs with commas between."""
        return ",".join(self.gtids[domain] for domain in sorted(self.gtids))

    def at(self, gtids: dict[int, str]) -> Self:
        return replace(self, gtids=dict(gtids))


@dataclass(frozen=True)
class Gap:
    """A part of the log that the server no longer had when it was asked for."""

    after: str
    """Position that the archiver had."""
    begins: int
    """Unix seconds: what was committed before is archived."""
    ends: int
    """Unix seconds: what is committed from then on is archived again."""


_Stored = TypeVar("_Stored", Position, Gap)


class Positions:
    """Of one server. All calls block, and raise StepFailedError."""

    def __init__(self, store: ObjectStore, server: str) -> None:
        self._store = store
        self._folder = f"servers/{server}"

    def load(self) -> Position:
        """The position; that of a new archive if there is none."""
        if self._store.first(f"{self._folder}/position") is None:
            return Position()
        return self._read(f"{self._folder}/position", Position)

    def begin(self, gtid: str) -> None:
        """Note the first transaction of a new archive."""
        self._store.put_whole(f"{self._folder}/beginning", json.dumps(gtid).encode(), {})

    def beginning(self) -> str | None:
        """GTID of the first transaction that was archived; None if there is none yet."""
        return self._text(f"{self._folder}/beginning")

    def save(self, position: Position) -> None:
        self._write(f"{self._folder}/position", position)

    def add_gap(self, gap: Gap) -> None:
        self._write(f"{self._folder}/gaps/{gap.begins:012}", gap)

    def add_loss(self, tenant: str, gtid: str) -> None:
        """Note that what a tenant committed up to this transaction is not archived."""
        self._store.put_whole(f"{tenant}/lost", json.dumps(gtid).encode(), {})

    def lost(self, tenant: str) -> str | None:
        """The last transaction of a tenant that is not archived, though later ones may be."""
        return self._text(f"{tenant}/lost")

    def gaps(self) -> list[Gap]:
        return [self._read(key, Gap) for key in self._store.list(f"{self._folder}/gaps/")]

    def _text(self, key: str) -> str | None:
        if self._store.first(key) != key:
            return None
        with self._store.open(key) as read:
            return str(json.loads(read(1 << 10)))

    def _write(self, key: str, content: Position | Gap) -> None:
        self._store.put_whole(key, TypeAdapter(type(content)).dump_json(content), {})

    def _read(self, key: str, kind: type[_Stored]) -> _Stored:
        with self._store.open(key) as read:
            text = read(1 << 20)
        try:
            return TypeAdapter(kind).validate_json(text)
        except ValidationError as error:
            raise StepFailedError(f"{key} cannot be read: {error.errors()[0]['loc']}") from error
