"""What every model of a custom resource has in common."""

from datetime import datetime
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from vivero_core.model.naming import OBJECT_NAME_PATTERN

INTEGER_MAX: Final = 2**53 - 1
"""The largest integer that JSON readers agree on; the API server itself compares bounds as floating point."""


class Model(BaseModel):
    """Immutable, camelCase outside; unknown fields are ignored, for a newer CRD may have more of them."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
    )

    def dump(self) -> dict[str, Any]:
        """The JSON object as Kubernetes stores it: camelCase, without what is None."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def rules(*pairs: tuple[str, str]) -> dict[str, Any]:
    """CEL rules (expression, message) for `json_schema_extra`; they end in the CRD."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message} for rule, message in pairs]}


ObjectName = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=OBJECT_NAME_PATTERN)]


class Metadata(Model):
    """The part of metadata that Vivero reads."""

    name: str
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    finalizers: tuple[str, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class Resource(Model):
    """A custom resource as the API server returns it."""

    metadata: Metadata

    @classmethod
    def parse(cls, body: Any) -> Self:  # noqa: ANN401  an API server's JSON, checked here
        return cls.model_validate(body)
