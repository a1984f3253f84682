"""What probes and the operator are told."""

import msgspec

from vivero_data.domain.identity.schemas import Identity


class Probe(msgspec.Struct, frozen=True):
    """One backing service: whether it works, how long the test took, and what was wrong."""

    ok: bool
    ms: float
    problem: str | None = None


class Health(msgspec.Struct, frozen=True):
    """The process."""

    status: str = "ok"


class Readiness(msgspec.Struct, frozen=True):
    """Whether requests can be served; `schema` is its revision."""

    ok: bool
    database: Probe
    storage: Probe
    cache: Probe
    schema: str
    version: str


class Proof(Readiness, frozen=True):
    """Each backing service used with our own credentials; `workspace` is what the operator has told, if anything."""

    workspace: Identity | None
