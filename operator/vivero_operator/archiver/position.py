"""How far a server's log has been archived, in the backup bucket; not secret.

servers/<uid of the DatabaseServer>/beginning       JSON: the first transaction that was archived
servers/<uid of the DatabaseServer>/position        JSON
<tenant id>/lost                                    JSON: its last transaction that is missing from its chain
servers/<uid of the DatabaseServer>/gaps/<number>   JSON: what is missing from all chains of its tenants

Each has a digest of its key and itself. The position counts what else there has to be: an object that is gone, or not listed, would say
that there is less to restore, and not that something is missing.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from vivero_operator.archiver.bucket import Objects, Searched
from vivero_operator.operations.errors import DamagedError, StepFailedError

_DIGEST = "sha256"


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
    heads: dict[str, int] = field(default_factory=dict)
    """By tenant, the number of the newest segment of its chain."""
    losses: list[str] = field(default_factory=list)
    """Tenants of which a loss is noted."""
    gaps: int = 0
    """How many gaps are noted."""
    platform: str | None = None
    """The control plane's schema, if everything behind this position is archived of it, too."""

    @property
    def connect_state(self) -> str:
        """For the server: GTIDs with commas between."""
        return ",".join(self.gtids[domain] for domain in sorted(self.gtids))


@dataclass(frozen=True)
class Gap:
    """A part of the log that the server no longer had when it was asked for."""

    after: str
    """Position that the archiver had."""
    begins: int
    """Unix seconds: what was committed before is archived."""
    ends: int
    """Unix seconds: what is committed from then on is archived again."""


class Positions:
    """Of one server. All calls block, and raise StepFailedError."""

    def __init__(self, store: Objects, server: str) -> None:
        self._store = store
        self._folder = f"servers/{server}"

    def load(self) -> Position:
        """The position; that of a new archive if there is none."""
        told = self._read("position")
        if told is None:
            return Position()
        try:
            gtids = {int(domain): str(gtid) for domain, gtid in told["gtids"].items()}
            # An archiver of before wrote none of these.
            known = {"heads": told.get("heads", {}), "losses": told.get("losses", []), "gaps": int(told.get("gaps", 0))}
            at = gtids, int(told["until"]), told["waiting"], told["prepared"]
            return Position(*at, **known, platform=told.get("platform"))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise StepFailedError(f"{self._folder}/position cannot be read") from error

    def save(self, position: Position) -> None:
        self._write(f"{self._folder}/position", asdict(position))

    def begin(self, gtid: str) -> None:
        """Note the first transaction of a new archive."""
        self._write(f"{self._folder}/beginning", {"gtid": gtid})

    def beginning(self) -> str | None:
        """GTID of the first transaction that was archived; None if there is none yet."""
        return gtid_in(self._store, f"{self._folder}/beginning")

    def add_gap(self, gap: Gap) -> None:
        self._write(f"{self._folder}/gaps/{gap.begins:012}", asdict(gap))

    def add_loss(self, tenant: str, gtid: str) -> None:
        """Note that what a tenant committed up to this transaction is not archived."""
        self._write(f"{tenant}/lost", {"gtid": gtid})

    def _read(self, name: str) -> dict[str, Any] | None:
        key = f"{self._folder}/{name}"
        return parsed(self._store, key) if self._store.first(key) == key else None

    def _write(self, key: str, content: dict[str, Any]) -> None:
        self._store.put_whole(key, written(key, content), {})


def written(key: str, content: dict[str, Any]) -> bytes:
    """The object of JSON for this key, as `parsed` reads it."""
    plain = json.loads(json.dumps(content))  # numbers as keys become words
    return json.dumps(plain | {_DIGEST: _digest(key, plain)}).encode()


def _digest(key: str, content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps([key, content], sort_keys=True).encode()).hexdigest()


def sequence(gtid: str) -> int:
    """The number of a GTID, which grows with each transaction of a server."""
    return int(gtid.rpartition("-")[2])


def gaps(store: Searched, server: str) -> list[Gap]:
    """Of a server's archive."""
    found = (parsed(store, key) for key in store.list(f"servers/{server}/gaps/"))
    return [Gap(str(one["after"]), int(one["begins"]), int(one["ends"])) for one in found]


def lost(store: Objects, tenant: str) -> str | None:
    """The last transaction of a tenant that is not archived, though later ones may be."""
    return gtid_in(store, f"{tenant}/lost")


def gtid_in(store: Objects, key: str) -> str | None:
    """The GTID that an object holds; None if there is no such object."""
    return str(parsed(store, key)["gtid"]) if store.first(key) == key else None


def parsed(store: Objects, key: str) -> dict[str, Any]:
    """The object of JSON of this key, as it was written.

    Raises:
        DamagedError: it was changed or cut, or is that of another key.
    """
    try:
        found = json.loads(store.read_whole(key))
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{key} cannot be read") from error
    if not isinstance(found, dict) or found.pop(_DIGEST, None) != _digest(key, found):
        raise DamagedError(f"{key} cannot be read: it is not what was written")
    return found
