"""The price list: what is offered, and what only staff give."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_control.domain.plans.service import PlanInformer, PlanNotFoundError, PlanService
from vivero_core.backends.kube.client import Listing
from vivero_web.errors import UnavailableError


def service(**plans: dict[str, Any]) -> PlanService:
    informer = PlanInformer()
    bodies = [
        {
            "apiVersion": "vivero.dev/v1alpha1",
            "kind": "Plan",
            "metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": "1"},
            "spec": {"displayName": name, "price": {"amountCents": 100}, **spec},
        }
        for name, spec in plans.items()
    ]
    informer.apply(Listing(bodies, "1"))
    informer.synced = True
    return PlanService(informer)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.sampled_from([True, False, None]), max_size=6))
def test_a_plan_is_on_the_price_list_only_when_it_says_so(offered: dict[str, bool | None]) -> None:
    plans = service(**{name: {} if said is None else {"offered": said} for name, said in offered.items()})
    assert {one.name for one in plans.offered()} == {name for name, said in offered.items() if said}
    assert {one.name for one in plans.all()} == set(offered)


def test_the_cheapest_is_first_on_both_lists() -> None:
    plans = service(
        large={"price": {"amountCents": 300}, "offered": True},
        small={"price": {"amountCents": 100}, "offered": True},
        inner={"price": {"amountCents": 200}},
    )
    assert [one.name for one in plans.offered()] == ["small", "large"]
    assert [one.name for one in plans.all()] == ["small", "inner", "large"]


def test_to_the_public_a_plan_that_is_not_offered_does_not_exist() -> None:
    plans = service(inner={}, open={"offered": True})
    assert plans.find_offered("open").name == "open"
    assert plans.find("inner").name == "inner"
    for name in ("inner", "nosuch"):
        with pytest.raises(PlanNotFoundError, match=name):
            plans.find_offered(name)


def test_before_the_cluster_was_read_no_list_is_empty() -> None:
    with pytest.raises(UnavailableError):
        PlanService(PlanInformer()).offered()
