"""The staff's page about differences to the payment provider."""

import pytest
from unit.control_plane_web.billing_fakes import FakeBilling, differences
from unit.control_plane_web.conftest import browser, logged_in
from unit.control_plane_web.fakes import FakePlans
from vivero_control.domain.billing.policies import FOR_PEOPLE, Difference


def test_each_kind_of_difference_is_told_in_words_and_whether_a_person_is_wanted() -> None:
    billing = FakeBilling(FakePlans())
    billing.found = differences(len(Difference))
    with browser(billing=billing) as client:
        page = logged_in(client).get("/staff/billing").text
        assert page.count("For a person") == len(FOR_PEOPLE)
        assert page.count("Mended") == len(Difference) - len(FOR_PEOPLE)
        assert 'href="/staff/tenants/acme"' in page
        assert not any(f">{what}<" in page for what in Difference), "each has words"


@pytest.mark.parametrize(("on", "said"), [(True, "No differences"), (False, "Nothing is sold online")])
def test_without_any_the_page_says_so(on: bool, said: str) -> None:  # noqa: FBT001  a column of the table
    with browser(billing=FakeBilling(FakePlans(), on=on)) as client:
        assert said in logged_in(client).get("/staff/billing").text
        client.cookies.clear()
        assert "/staff/login" in str(client.get("/staff/billing").url)
