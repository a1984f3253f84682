"""Traces of what a person waits for: the passes over a tenant between its signup and its first answer.

The control plane leaves the context of the signup's request in an annotation of the Tenant. While the tenant is awaited,
each pass over it is a span of that trace, each step and each call of a server a span below it, and calls of the tenant's
pod carry the context on. A trace therefore ends.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Final

from vivero_core.model.constants import ANNOTATION_TRACE
from vivero_core.model.tenant import Tenant
from vivero_core.tracing.context import read
from vivero_core.tracing.setup import tracer_to
from vivero_core.tracing.spans import Kind, Tracer

from vivero_operator.policies import life
from vivero_operator.settings import Settings

SERVICE: Final = "vivero-operator"


def tracer_of(settings: Settings) -> Tracer:
    """The operator begins no trace of its own; it continues those of signups."""
    headers = settings.otlp_headers
    return tracer_to(
        settings.otlp_endpoint, {"service.name": SERVICE}, headers=headers.get_secret_value() if headers else ""
    )


def passing(tracer: Tracer, tenant: Tenant) -> AbstractContextManager[object]:
    """A pass over a tenant, as a span of its signup's trace while it is awaited."""
    parent = read(tenant.metadata.annotations.get(ANNOTATION_TRACE))
    if parent is None or not life.awaited(tenant):
        return nullcontext()
    attributes = {"vivero.tenant": tenant.name, "vivero.tenant_id": tenant.id}
    return tracer.begin("reconcile Tenant", Kind.INTERNAL, attributes, parent)
