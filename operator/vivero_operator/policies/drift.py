"""Drift of an object: whether the live one differs from the desired one, and whether another field manager wrote to it.

Without a write, for an apply that changes nothing is still a request; the second from its metadata alone.
"""

from typing import Any, Final

from vivero_core.model.constants import ANNOTATION_APPLIED, ANNOTATION_KUBECTL_RESTART, FIELD_MANAGER

from vivero_operator.instance import digest
from vivero_operator.policies import room

_OWN_PARTS: Final = ("spec", "data", "rules")
_QUANTITY_FIELDS: Final = frozenset({"requests", "limits", "hard", "sizeLimit"})
_TOLERATED_ANNOTATIONS: Final = frozenset({ANNOTATION_KUBECTL_RESTART})
"""What kubectl may write into parts that are ours otherwise."""


def applied(manifest: dict[str, Any] | None) -> str | None:
    """The digest of what an object was last made from; None when it is not there, or was not made by us."""
    digest: str | None = (manifest or {"metadata": {}})["metadata"].get("annotations", {}).get(ANNOTATION_APPLIED)
    return digest


def differs(desired: dict[str, Any], live: dict[str, Any] | None) -> bool:
    """True when `live` is missing, lacks or contradicts anything in `desired`, or was applied from other content.

    A field that we no longer want but that is still there shows in the applied
    digest. A Secret carries no digest: there all of `data` is compared.
    """
    if live is None or unmanaged_fields(desired, live) or _taken_over(desired, live):
        return True
    if desired["kind"] == "Secret" and "data" in desired and desired["data"] != live.get("data", {}):
        return True
    return not _covers(live, desired)


def unmanaged_fields(desired: dict[str, Any], live: dict[str, Any]) -> dict[str, Any]:
    """The merge patch that removes unmanaged fields: what others put into parts of an object that are ours alone.

    An apply puts back what we own and leaves what others added: one more label
    in a Service's selector, and it leads nowhere. Labels and annotations of
    other people stay; they harm no one.
    """
    patch: dict[str, Any] = {}
    for entry in live.get("metadata", {}).get("managedFields", ()):
        if entry.get("manager") != FIELD_MANAGER and entry.get("subresource") is None:
            for part in _OWN_PARTS:
                fields = entry.get("fieldsV1", {}).get(f"f:{part}", {})
                found = _unmanaged(fields, desired.get(part, {}), live.get(part, {}))
                if found:
                    patch[part] = patch.get(part, {}) | found
    return patch


def is_unmanaged(live: dict[str, Any]) -> bool:
    """Whether nothing in the object was ever written by us."""
    managers = [entry.get("manager") for entry in live.get("metadata", {}).get("managedFields", ())]
    return bool(managers) and FIELD_MANAGER not in managers


def is_immutable(desired: dict[str, Any], live: dict[str, Any]) -> bool:
    """Whether the API server refuses every change that would make `live` what is desired: another type, or `immutable`."""
    kinds = ("Secret", "ConfigMap")
    return desired["kind"] in kinds and (bool(live.get("immutable")) or live.get("type") != desired.get("type"))


def _taken_over(desired: dict[str, Any], live: dict[str, Any]) -> bool:
    """Whether another field manager is now the only owner of a field of ours.

    Some maps have one owner as a whole, such as a Service's selector: who
    adds a key to one owns all of it, though our keys are still there.
    """
    entries = live.get("metadata", {}).get("managedFields", ())
    ours = [one.get("fieldsV1", {}) for one in entries if one.get("manager") == FIELD_MANAGER]
    return bool(ours) and any(
        _lost(
            entry.get("fieldsV1", {}).get(f"f:{part}", {}),
            desired.get(part, {}),
            [one.get(f"f:{part}", {}) for one in ours],
        )
        for entry in entries
        if entry.get("manager") != FIELD_MANAGER and entry.get("subresource") is None
        for part in _OWN_PARTS
    )


def _lost(fields: dict[str, Any], desired: dict[str, Any], ours: list[dict[str, Any]]) -> bool:
    """`ours` are the fields that we applied and those that we patched: two entries."""
    for key, inner in fields.items():
        wanted, own = desired.get(key.removeprefix("f:")), [one[key] for one in ours if key in one]
        if wanted is not None and (not own or (isinstance(wanted, dict) and _lost(inner, wanted, own))):
            return True
    return False


def _unmanaged(fields: dict[str, Any], desired: dict[str, Any], live: dict[str, Any]) -> dict[str, Any]:
    """What of `fields` (as the API server writes down who owns what) is not desired, as nulls of a merge patch.

    A merge patch knows lists as a whole only: one with an entry that is not ours is replaced. An entry that someone
    else wrote as well, and as we want it, is no reason.
    """
    patch: dict[str, Any] = {}
    for key, inner in fields.items():
        name = key.removeprefix("f:")
        if key == "." or name in _TOLERATED_ANNOTATIONS:
            continue
        if name not in desired:
            patch[name] = None
        elif any(not one.startswith("f:") and one != "." for one in inner):
            if not _covers(live.get(name), desired[name]):
                patch[name] = desired[name]
        elif isinstance(desired[name], dict) and (found := _unmanaged(inner, desired[name], live.get(name) or {})):
            patch[name] = found
    return patch


def was_touched(metadata: dict[str, Any]) -> bool:
    """Whether anybody but us has written what is ours to write; from what `metadata` says, without having seen it before."""
    entries = [one for one in metadata.get("managedFields", ()) if one.get("subresource") is None]
    others = [one.get("fieldsV1", {}) for one in entries if one.get("manager") != FIELD_MANAGER]
    return len(others) == len(entries) or any(f"f:{part}" in fields for fields in others for part in _OWN_PARTS)


def fingerprint(metadata: dict[str, Any]) -> str:
    """Changes when anybody but us writes more than the status of an object; from what `metadata` says.

    The API server records who owns which fields. Our own entry counts without
    its time, for we may write the same again; who overwrites or removes a
    field of ours takes it out of that entry, or appears beside it.
    """
    owners = [
        (
            entry.get("manager"),
            entry.get("fieldsV1"),
            None if entry.get("manager") == FIELD_MANAGER else entry.get("time"),
        )
        for entry in metadata.get("managedFields", ())
        if entry.get("subresource") != "status"
    ]
    content = [owners, metadata.get("labels"), metadata.get("deletionTimestamp")]
    return digest(content)


def _covers(live: Any, desired: Any, field: str = "") -> bool:  # noqa: ANN401  any JSON values
    """Whether everything in `desired` is in `live`; what the API server or others added does not count."""
    if isinstance(desired, dict):
        if not isinstance(live, dict):
            return not desired and live is None
        inner = field if field in _QUANTITY_FIELDS else ""
        return all(_covers(live.get(key), value, inner or key) for key, value in desired.items())
    if isinstance(desired, list):
        if not isinstance(live, list):
            return not desired and live is None
        return len(live) == len(desired) and all(map(_covers, live, desired))
    if field in _QUANTITY_FIELDS and isinstance(live, str):
        return room.same(live, str(desired))
    return bool(live == desired)
