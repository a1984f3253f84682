"""What an administrator may change about every tenant's pod: where it runs, which Secrets pull its image, and so on.

The chart hands it over as one JSON object (VIVERO_DATA_PLANE_POD), in the words of Kubernetes. Only what is named here
can be set: nothing that would let a pod out of its isolation has a field, and what isolation needs is written last.
"""

import copy
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import ConfigDict, Field, StringConstraints, field_validator, model_validator
from pydantic.functional_validators import AfterValidator
from vivero_core.model.base import Model, ObjectName

_LABEL_KEY: Final = r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"
_LABEL_VALUE: Final = r"^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$"
_ENV_NAME: Final = r"^[A-Za-z_][A-Za-z0-9_]{0,252}$"
_ID_MAX: Final = 2**31 - 1
_LIST_MAX: Final = 100

OWN_VARIABLES: Final = tuple(
    f"VIVERO_{name}" for name in ("TENANT_ID", "TENANT_NAME", "PUBLIC_URL", "SECRETS_DIR", "METRICS_PORT")
)
"""A tenant's own, or agreed with the rest of its pod: one value for all tenants would be wrong for each."""

LabelKey = Annotated[str, StringConstraints(pattern=_LABEL_KEY)]
LabelValue = Annotated[str, StringConstraints(pattern=_LABEL_VALUE)]
Text = Annotated[str, StringConstraints(max_length=16_384)]
UserId = Annotated[int, Field(ge=1, le=_ID_MAX, strict=True)]
GroupId = Annotated[int, Field(ge=0, le=_ID_MAX, strict=True)]

ISOLATION: Final[dict[str, Any]] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
"""Of every tenant's pod, whatever the options say."""
CONTAINER_ISOLATION: Final[dict[str, Any]] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
"""Of every tenant's container, whatever the options say."""
_UID: Final = 10001  # the images' user
POD_SECURITY: Final[dict[str, Any]] = {**ISOLATION, "runAsUser": _UID, "runAsGroup": _UID, "fsGroup": _UID}
"""Of a pod of our images, unless options of tenants' pods say otherwise."""
CONTAINER_SECURITY: Final[dict[str, Any]] = {**CONTAINER_ISOLATION, "readOnlyRootFilesystem": True}
"""The same of its containers."""


class _Strict(Model):
    """A field that is not known here is an error: a mistyped option must not be ignored for every tenant."""

    model_config = ConfigDict(extra="forbid")


class PullSecret(_Strict):
    """A Secret with the login of an image registry."""

    name: ObjectName


class Toleration(_Strict):
    """As in a pod's spec."""

    key: LabelKey | None = None
    operator: Literal["Exists", "Equal"] | None = None
    value: LabelValue | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: int | None = None


class Affinity(_Strict):
    """As in a pod's spec; what is inside is checked by the API server."""

    node_affinity: dict[str, Any] | None = None
    pod_affinity: dict[str, Any] | None = None
    pod_anti_affinity: dict[str, Any] | None = None


class FieldRef(_Strict):
    """A fact about the pod itself, such as status.hostIP."""

    field_path: str = Field(min_length=1, max_length=253)


class EnvSource(_Strict):
    """No Secret and no ConfigMap: in tenants' namespaces there are none but the operator's own."""

    field_ref: FieldRef


class EnvVar(_Strict):
    """A variable that the program gets besides the operator's own."""

    name: str = Field(pattern=_ENV_NAME, json_schema_extra={"not": {"enum": list(OWN_VARIABLES)}})
    value: Text | None = None
    value_from: EnvSource | None = None

    @field_validator("name")
    @classmethod
    def _not_ours(cls, name: str) -> str:
        if name in OWN_VARIABLES:
            raise ValueError(f"{name} is set by the operator itself")
        return name

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.value is None) == (self.value_from is None):
            raise ValueError("give either value or valueFrom")
        return self


class SeLinuxOptions(_Strict):
    """Only what the Pod Security Standard `restricted` allows to set."""

    level: str | None = Field(default=None, min_length=1, max_length=253)
    type: Literal["container_t", "container_init_t", "container_kvm_t", "container_engine_t"] | None = None


class PodSecurityContext(_Strict):
    """Replaces the operator's own: absent fields are left to the cluster, as OpenShift requires."""

    run_as_user: UserId | None = None
    run_as_group: GroupId | None = None
    fs_group: GroupId | None = None
    fs_group_change_policy: Literal["OnRootMismatch", "Always"] | None = None
    supplemental_groups: tuple[GroupId, ...] | None = Field(default=None, max_length=_LIST_MAX)
    se_linux_options: SeLinuxOptions | None = None


class SecurityContext(_Strict):
    """Of the container; replaces the operator's own, except for what isolation needs."""

    run_as_user: UserId | None = None
    run_as_group: GroupId | None = None
    read_only_root_filesystem: bool | None = None
    se_linux_options: SeLinuxOptions | None = None


_Named = TypeVar("_Named", PullSecret, EnvVar)


def _unique(items: tuple[_Named, ...]) -> tuple[_Named, ...]:
    """Lists that Kubernetes keeps by name; it refuses the whole pod for a name that is there twice."""
    names = [item.name for item in items]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"named twice: {', '.join(twice)}")
    return items


class PodOptions(_Strict):
    """What is absent changes nothing."""

    image_pull_secrets: Annotated[tuple[PullSecret, ...], AfterValidator(_unique)] = Field(default=(), max_length=10)
    """Secrets in the platform's namespace; the operator copies them to where the pods are."""
    node_selector: dict[LabelKey, LabelValue] = Field(default_factory=dict, max_length=_LIST_MAX)
    tolerations: tuple[Toleration, ...] = Field(default=(), max_length=_LIST_MAX)
    affinity: Affinity | None = None
    priority_class_name: ObjectName | None = None
    annotations: dict[LabelKey, Text] = Field(default_factory=dict, max_length=_LIST_MAX)
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict, max_length=_LIST_MAX)
    extra_env: Annotated[tuple[EnvVar, ...], AfterValidator(_unique)] = Field(default=(), max_length=_LIST_MAX)
    pod_security_context: PodSecurityContext | None = None
    """None: the operator's own."""
    security_context: SecurityContext | None = None
    """None: the operator's own."""


def with_options(template: dict[str, Any], options: PodOptions) -> dict[str, Any]:
    """The pod template with the options in it; the template itself stays as it is.

    Labels, annotations and variables of the template win over options of the same name. Every container gets the
    variables and the security context.
    """
    result = copy.deepcopy(template)
    _set_metadata(result, options)
    spec = result["spec"]
    _set_placement(spec, options)
    _set_security(spec, options.pod_security_context, ISOLATION)
    for container in (*spec.get("initContainers", []), *spec["containers"]):
        _set_security(container, options.security_context, CONTAINER_ISOLATION)
        if options.extra_env:
            container["env"] = _environment(container.get("env", []), options.extra_env)
    return result


def _set_metadata(template: dict[str, Any], options: PodOptions) -> None:
    metadata = template.setdefault("metadata", {})
    for field, values in (("labels", options.labels), ("annotations", options.annotations)):
        if values:
            metadata[field] = {**values, **metadata.get(field, {})}


def _set_placement(spec: dict[str, Any], options: PodOptions) -> None:
    """An option that is not given leaves no empty field behind: it would differ from what the server stores."""
    given = options.dump()
    for field in ("imagePullSecrets", "tolerations"):
        if given[field]:
            spec[field] = [*spec.get(field, []), *given[field]]
    if options.node_selector:
        spec["nodeSelector"] = {**options.node_selector, **spec.get("nodeSelector", {})}
    for field in ("affinity", "priorityClassName"):
        if given.get(field):
            spec[field] = given[field]


def _set_security(owner: dict[str, Any], wanted: Model | None, isolation: dict[str, Any]) -> None:
    own = owner.get("securityContext", {})
    chosen = own if wanted is None else wanted.dump()
    owner["securityContext"] = {**chosen, **copy.deepcopy(isolation)}


def _environment(own: list[dict[str, Any]], extra: Sequence[EnvVar]) -> list[dict[str, Any]]:
    taken = {variable["name"] for variable in own}
    return [*own, *(variable.dump() for variable in extra if variable.name not in taken)]
