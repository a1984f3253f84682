"""What probes and the operator are told."""

import msgspec


class Probe(msgspec.Struct, frozen=True):
    """One backing service: whether it works, how long the test took, and what was wrong."""

    ok: bool
    ms: float
    problem: str | None = None


class Health(msgspec.Struct, frozen=True):
    """The process."""

    status: str = "ok"


class Proof(msgspec.Struct, frozen=True):
    """Each backing service used with our own credentials; `schema` is its revision."""

    ok: bool
    database: Probe
    storage: Probe
    cache: Probe
    schema: str
    version: str
