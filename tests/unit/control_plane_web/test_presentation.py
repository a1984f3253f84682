from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.control_plane_web.fakes import NOW, PLANS, condition, row, signup
from vivero_control.domain.tenants.schemas import HostState, HostStatus, ProofResult, TenantState
from vivero_control.web import error_pages, operations, presentation
from vivero_core.model.constants import SuspensionReason
from vivero_core.model.tenant import Recovery


def test_every_state_and_reason_has_words() -> None:
    assert set(presentation.STATES) == set(TenantState)
    assert set(presentation.REASONS) == set(SuspensionReason)
    for reason in SuspensionReason:
        said = error_pages.host_text(HostStatus(host="h", state=HostState.SUSPENDED, reason=reason))
        assert said.status == 503
        assert said.title


def test_every_result_of_a_proof_has_words() -> None:
    field = Recovery.model_fields["proof_result"].annotation
    results = set(get_args(get_args(field)[0]))
    assert set(operations.PROOFS) == results == set(get_args(ProofResult))
    assert {result for result, (_, kind) in operations.PROOFS.items() if kind == "success"} == {"Passed"}


@pytest.mark.parametrize(
    ("ends", "soon"),
    [(None, False), (timedelta(days=4), False), (timedelta(days=2), True), (timedelta(days=-1), True)],
)
def test_a_trial_that_ends_soon_is_marked(ends: timedelta | None, *, soon: bool) -> None:
    line = presentation.tenant_line(row("a", trial_ends_at=NOW + ends if ends else None), PLANS, NOW)
    assert line.trial_soon is soon


@pytest.mark.parametrize(("ends", "proposed"), [(None, "2026-12-06"), (-30, "2026-12-06"), (10, "2026-12-16")])
def test_an_extension_starts_from_the_later_of_now_and_the_end(ends: int | None, proposed: str) -> None:
    at = None if ends is None else NOW + timedelta(days=ends)
    assert presentation.tenant_line(row("a", trial_ends_at=at), PLANS, NOW).extend_to == proposed


def test_an_unknown_plan_is_named_as_it_is() -> None:
    assert presentation.tenant_line(row("a", plan="special"), PLANS, NOW).plan == "special"


def test_steps_count_from_the_signup() -> None:
    took = [line.took for line in presentation.progress(signup(3))]
    assert took == ["under 1 s"] * 3 + [""] * 4
    assert [line.took for line in presentation.progress(signup(7))][3:] == ["1 s", "1 s", "1 s", "2 s"]


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("Ready", "True", "success"),
        ("Ready", "False", "neutral"),
        ("Suspended", "True", "warning"),
        ("Suspended", "False", "neutral"),
        ("Paused", "True", "warning"),
        ("Degraded", "True", "warning"),
        ("Degraded", "False", "neutral"),
    ],
)
def test_a_conditions_colour(kind: str, status: str, expected: str) -> None:
    [line] = presentation.timeline([condition(kind, 0, status)])
    assert line.kind == expected


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "ftp://x", "//x", ""])
def test_a_link_must_not_run_a_script(url: str) -> None:
    assert presentation.web_url(url) == ""


@given(st.text(max_size=60))
def test_a_link_is_web_or_nothing(url: str) -> None:
    assert presentation.web_url(url) == "" or presentation.web_url(url).lower().startswith(("http:", "https:"))


def test_the_host_of_an_address() -> None:
    assert presentation.host_of("https://acme.vivero.localhost:8443/x") == "acme.vivero.localhost:8443"
    assert presentation.host_of("acme") == "acme"
