"""Responses to probes and to the operator."""

from typing import Annotated

import msgspec

from vivero_data.domain.identity.service import Identity


class Probe(msgspec.Struct, frozen=True):
    """One backing service."""

    ok: Annotated[bool, msgspec.Meta(description="Whether it works.")]
    ms: Annotated[float, msgspec.Meta(description="Duration of the check in milliseconds.")]
    problem: Annotated[str | None, msgspec.Meta(description="What was wrong.")] = None


class Health(msgspec.Struct, frozen=True):
    """The process."""

    status: Annotated[str, msgspec.Meta(description="Always `ok`.")] = "ok"


class Readiness(msgspec.Struct, frozen=True):
    """Whether requests can be served."""

    ok: Annotated[bool, msgspec.Meta(description="Whether all of it works.")]
    database: Annotated[Probe, msgspec.Meta(description="The schema.")]
    storage: Annotated[Probe, msgspec.Meta(description="The bucket.")]
    cache: Annotated[Probe, msgspec.Meta(description="The cache.")]
    schema: Annotated[str, msgspec.Meta(description="The schema's revision; empty while it is made.")]
    version: Annotated[str, msgspec.Meta(description="Of the program.")]
    audit_lag_seconds: Annotated[
        float,
        msgspec.Meta(description="Age of the oldest audit entry that no head in the bucket covers; 0 without any."),
    ]


class Proof(Readiness, frozen=True):
    """Each backing service used with our own credentials; `workspace` is the stored identity, if any."""

    workspace: Identity | None
