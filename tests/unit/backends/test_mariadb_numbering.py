"""Positions of a binary log, as a server tells them."""

import pytest
from vivero_core.backends.mariadb.numbering import number_in


@pytest.mark.parametrize(
    ("position", "domain", "number"),
    [("", 1, 0), ("1-7-42", 1, 42), ("1-7-42", 2, 0), ("0-1-5,1-7-42", 1, 42), ("0-1-5,1-7-42", 0, 5)],
)
def test_the_last_number_of_a_domain(position: str, domain: int, number: int) -> None:
    assert number_in(position, domain) == number
