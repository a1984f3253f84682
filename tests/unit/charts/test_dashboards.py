"""Questions of the dashboards ask for series that there are."""

import pytest
from support.dashboards import questions
from support.metrics import asked_for, exposed

QUESTIONS = questions()


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_asks_for_what_programs_expose_or_rules_record(name: str) -> None:
    asked = asked_for(QUESTIONS[name])
    assert asked
    assert asked - exposed() == set()


def test_a_metric_that_there_is_not_is_found() -> None:
    """Else the test above could not fail."""
    assert asked_for('rate(vivero_happiness_total{of="vivero_leading"}[5m])') == {"vivero_happiness_total"}
    assert "vivero_happiness_total" not in exposed()
