"""The platform's own state in the backup bucket: what a new cluster is rebuilt from (ADR 0047).

    platform/newest            JSON: number, SHA-256 and digest of the newest state, whose it is, and for whom it is sealed; not secret
    platform/state/<number>    JSON, gzip, sealed (vivero_core.envelope) for the recovery key; numbers count down as those of a log
    platform/log, platform/backups    the control plane's tables, as a tenant's are kept

A state is one object, so it is of one moment. `newest` is written behind it: whoever is killed in between has written a
state that nobody asks for. The operator can open none of them.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Protocol

from pydantic import TypeAdapter, ValidationError
from vivero_core.envelope import open_sealed, public_key, seal_for
from vivero_core.model.naming import PLATFORM_ID
from vivero_core.sealing import SealBrokenError

from vivero_operator.archiver.bucket import Objects
from vivero_operator.operations.errors import DamagedError, RefusedError
from vivero_operator.operations.streams import Reader, packed, unpacked

FORMAT: Final = 1
KEPT: Final = 10
"""States that stay beside the newest, for whoever has to go back further; none of those before an erasure."""
KEY_BYTES: Final = 32
_FOLDER: Final = f"{PLATFORM_ID}/state/"
_NEWEST_KEY: Final = f"{PLATFORM_ID}/newest"
_HIGHEST: Final = 0xFFF_FFF_FFF_FFF
_STRUCTURE: Final = {"format", "resources", "records", "escrow_keys", "current_key", "file_key"}
Body = dict[str, Any]


class States(Objects, Protocol):
    """What states are written with."""

    def list(self, prefix: str) -> Mapping[str, object]:
        """Everything below the prefix, by key."""
        ...

    def delete(self, key: str) -> None:
        """Delete an object; no error if there is none."""
        ...


@dataclass(frozen=True)
class State:
    """All that is in no server's log: one moment of it."""

    resources: dict[str, list[Body]]
    """Kind to its objects, as the API server would return them, without what it adds itself."""
    records: list[Body]
    """The Secrets with tenants' keys, sealed as they are."""
    escrow_keys: dict[str, str] = field(repr=False)
    """What opens them, by id; 64 hexadecimal digits each."""
    current_key: str
    """Id of the one that seals."""
    file_key: str = field(repr=False)
    """Of the control plane's dumps and log; 64 hexadecimal digits."""

    @property
    def installation(self) -> str:
        return installation_of(bytes.fromhex(self.file_key))

    def of_kind(self, kind: str) -> list[Body]:
        return self.resources.get(kind, [])

    def digest(self) -> str:
        """The same for the same state, but for what a status tells of the moment; it says nothing of its contents."""
        resources = {kind: sorted(map(_lasting, found)) for kind, found in sorted(self.resources.items())}
        whole = json.dumps(asdict(self) | {"resources": resources}, sort_keys=True)
        return hashlib.sha256(b"vivero platform state" + whole.encode()).hexdigest()


@dataclass(frozen=True)
class Newest:
    """What stands beside the states, for who cannot open them."""

    number: int
    sha256: str
    digest: str
    installation: str
    recipient: str
    """Public half of the recovery key."""
    stored_at: str
    bytes: int
    ids: list[str]
    """Of the tenants whose keys it holds."""
    oldest: int
    """States with a lower number are to go: they hold keys of somebody who was erased since, or are too old."""


def installation_of(file_key: bytes) -> str:
    """Names the key of an installation without giving it away."""
    return hashlib.sha256(b"vivero installation" + file_key).hexdigest()[:16]


def key_of(number: int) -> str:
    """Of a state in the bucket."""
    return f"{_FOLDER}{_HIGHEST - number:012x}"


def newest(store: Objects) -> Newest | None:
    """What was written last; None if there is nothing.

    Raises:
        DamagedError: it cannot be read.
        StepFailedError: the bucket is away.
    """
    if store.first(_NEWEST_KEY) != _NEWEST_KEY:
        return None
    try:
        return TypeAdapter(Newest).validate_json(store.read_whole(_NEWEST_KEY))
    except ValidationError as error:
        raise DamagedError(f"{_NEWEST_KEY} cannot be read: it was changed") from error


def holds_any(store: Objects) -> bool:
    """Whether some installation has written its state or the control plane's tables to the bucket."""
    return store.first(f"{PLATFORM_ID}/") is not None


def write(store: Objects, state: State, public: bytes, before: Newest | None, stored_at: str) -> Newest:
    """Store a state behind the one before, read it back, and name it as the newest."""
    number = before.number + 1 if before is not None else 1
    text = json.dumps({"format": FORMAT, **asdict(state)}).encode()
    body = b"".join(seal_for(Reader(packed([text])).read, public, _name(number)))
    store.put_whole(key_of(number), body, {})
    if store.read_whole(key_of(number)) != body:
        raise DamagedError(f"{key_of(number)} is not what was written")
    sha256 = hashlib.sha256(body).hexdigest()
    ids = sorted(ids_of(state.records))
    oldest = max(before.oldest, number - KEPT) if before is not None and set(before.ids) <= set(ids) else number
    made = Newest(number, sha256, state.digest(), state.installation, public.hex(), stored_at, len(body), ids, oldest)
    store.put_whole(_NEWEST_KEY, json.dumps(asdict(made)).encode(), {})
    return made


def numbers(store: States) -> list[int]:
    """Of all states in the bucket, newest first."""
    return [_HIGHEST - int(key.removeprefix(_FOLDER), 16) for key in sorted(store.list(_FOLDER))]


def drop_before(store: States, number: int) -> int:
    """Delete older states; how many."""
    older = [one for one in numbers(store) if one < number]
    for one in older:
        store.delete(key_of(one))
    return len(older)


def read(store: Objects, recovery_key: bytes, number: int | None = None) -> tuple[int, State]:
    """The newest state, or the one of this number, and its number.

    Raises:
        RefusedError: there is none, it is sealed for another key, or of a newer format.
        DamagedError: it is gone, was changed, or cut.
    """
    said = newest(store) if number is None else None
    if number is None and said is None:
        raise RefusedError(f"the backup bucket has no {_NEWEST_KEY}: name a state by its number, or another bucket")
    own = public_key(recovery_key).hex()
    if said is not None and said.recipient != own:
        raise RefusedError(f"the state is sealed for the recovery key {said.recipient}, and this is the one of {own}")
    chosen = number or (said.number if said is not None else 0)
    key = key_of(chosen)
    if store.first(key) != key:
        raise DamagedError(f"{key}, state {chosen}, is not in the backup bucket")
    body = store.read_whole(key)
    if said is not None and hashlib.sha256(body).hexdigest() != said.sha256:
        raise DamagedError(f"{key} is not what was written: its SHA-256 is not that of {_NEWEST_KEY}")
    return chosen, _opened(key, body, recovery_key, chosen)


def _opened(key: str, body: bytes, recovery_key: bytes, number: int) -> State:
    try:
        text = b"".join(unpacked(open_sealed(Reader(iter([body])).read, recovery_key, _name(number))))
        told: dict[str, Any] = json.loads(text)
    except (SealBrokenError, zlib.error, ValueError) as error:
        raise DamagedError(
            f"{key} cannot be opened: it was changed, or sealed for another recovery key ({error})"
        ) from error
    if told.get("format") != FORMAT:
        raise RefusedError(f"{key} has the format {told.get('format')}, and this release reads {FORMAT}")
    try:
        return TypeAdapter(State).validate_python({name: told[name] for name in _STRUCTURE - {"format"}})
    except (KeyError, ValidationError) as error:
        raise DamagedError(f"{key} does not hold a platform's state") from error


def trimmed(body: Mapping[str, Any]) -> Body:
    """An object without what the API server adds itself, but for its uid: ids of tenants follow from that."""
    meta = body["metadata"]
    kept = {
        name: meta[name] for name in ("name", "uid", "labels", "annotations", "deletionTimestamp") if meta.get(name)
    }
    return {**{name: value for name, value in body.items() if name != "metadata"}, "metadata": kept}


def ids_of(records: Iterable[Body]) -> set[str]:
    """Of the tenants whose keys these records hold."""
    return {str(one["metadata"]["name"]).partition("-")[2] for one in records}


def _lasting(body: Body) -> str:
    """What of an object is a change when it differs."""
    status = body.get("status", {})
    known = {"prefix": status.get("prefix"), "proven": "provenAt" in status, "erased": status.get("erasedAt")}
    return json.dumps([body["metadata"], body.get("spec"), known], sort_keys=True)


def _name(number: int) -> str:
    """Binds a state to its number: an older one does not pass for a newer one."""
    return f"{PLATFORM_ID} state {number}"
