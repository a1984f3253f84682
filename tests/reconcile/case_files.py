"""What given.yaml and expected.yaml of a case may say.

given: `passes` is a list; before each pass `objects` are put, `gone` names are removed, passwords are `tampered` with,
`faults` and `advance` (seconds) are set, `records` of tenants' keys are in the escrow, TXT records prove who owns the
`verified` hosts, `certificates` (Secret -> host) were handed in, databases and buckets are `dropped` or `emptied`,
Tenants have `vanished` without their finalizer, and with `restart` the operator was started again.
`serving: true` puts the passes of serving.yaml before them: Tenant acme is Ready, and its pod runs. `settings` are the
operator's that are not the defaults.
expected: what holds after the last pass; `writes` are those of the last pass alone, `event` is the message of one event.
`conditions` and `events` (as type and reason) are all there are: one that is not named must not be there. Of `status`, what
is null must not be there. A key that is none of these is refused, in both files.
"""

from pathlib import Path
from typing import Any, TypeVar

import msgspec
from reconcile.world import PLAN, SERVER, Object

T = TypeVar("T")


class Dropped(msgspec.Struct, forbid_unknown_fields=True):
    databases: list[str] = []
    buckets: list[str] = []


class Faults(msgspec.Struct, forbid_unknown_fields=True):
    """Which systems are away; `proof` names what a data plane cannot reach."""

    main: bool = False
    s3: bool = False
    valkey: bool = False
    data_plane: bool = False
    proof: tuple[str, ...] = ()


class Step(msgspec.Struct, forbid_unknown_fields=True):
    """What happens before a pass."""

    objects: list[Object] = []
    gone: list[tuple[str, str | None, str]] = []
    tampered: dict[str, dict[str, str]] = {}
    faults: Faults = msgspec.field(default_factory=Faults)
    advance: float = 0
    resync: bool = False
    suspect: bool = False
    restart: bool = False
    records: list[dict[str, Any]] = []
    verified: list[str] = []
    certificates: dict[str, str] = {}
    databases: list[str] = []
    buckets: list[str] = []
    dropped: Dropped = msgspec.field(default_factory=Dropped)
    emptied: list[str] = []
    vanished: list[str] = []


class Given(msgspec.Struct, forbid_unknown_fields=True):
    passes: list[Step]
    around: list[Object] = msgspec.field(default_factory=lambda: [PLAN, SERVER])
    reconcile: str = "acme"
    serving: bool = False
    settings: dict[str, Any] = {}


class Outcome(msgspec.Struct, forbid_unknown_fields=True):
    failed: bool
    retry_after: float | None


class Expected(msgspec.Struct, forbid_unknown_fields=True):
    conditions: dict[str, str]
    events: list[str]
    message: str | None = None
    event: str | None = None
    status: Object = {}
    objects: list[Object] = []
    absent: list[tuple[str, str | None, str]] = []
    backends: Object = {}
    writes: list[str] | None = None
    result: Outcome | None = None


def read(path: Path, kind: type[T]) -> T:
    """Raises msgspec.ValidationError for a key that there is not, and for one that is missing."""
    return msgspec.yaml.decode(path.read_bytes(), type=kind)
