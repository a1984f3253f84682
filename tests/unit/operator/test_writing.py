"""A status is written as a merge patch: whatever the old and the new one are, the patch leads from one to the other."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from reconcile.fakes import merge
from vivero_core.model.tenant import TenantStatus
from vivero_operator.reconcile.writing import patch_of

TIMES = st.sampled_from(["2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z"])
HOSTS = st.fixed_dictionaries(
    {
        "host": st.sampled_from(["a.example.com", "b.example.com"]),
        "ready": st.booleans(),
        "reason": st.just("HostServed"),
    },
    optional={"verifiedAt": TIMES},
)
STATUSES = st.fixed_dictionaries(
    {},
    optional={
        "owner": st.fixed_dictionaries({}, optional={"email": st.just("a@b.co"), "passwordHashSecret": st.just("s")}),
        "hosts": st.lists(HOSTS, max_size=2),
        "message": st.sampled_from(["Healthy", "Starting"]),
        "provenAt": TIMES,
        "updatedReplicas": st.integers(0, 3),
    },
).map(TenantStatus.model_validate)


@given(STATUSES, STATUSES)
def test_a_patch_leads_from_one_status_to_the_other(old: TenantStatus, new: TenantStatus) -> None:
    patch = patch_of(old, new)
    assert TenantStatus.model_validate(merge(old.dump(), patch)) == new
    assert bool(patch) == (old != new)


@given(STATUSES)
def test_what_could_not_be_read_is_taken_away(new: TenantStatus) -> None:
    stored: dict[str, Any] = {**TenantStatus().dump(), "message": ["no", "text"], "url": 7}
    patched = merge(stored, patch_of(TenantStatus(), new, ("message", "url")))
    assert TenantStatus.model_validate(patched) == new
