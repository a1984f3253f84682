"""From where on people are told that a limit is used, and that they are told once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_data.domain.identity.service import Identity
from vivero_data.domain.limits.service import Resource
from vivero_data.domain.usage.levels import FULL, NEARLY_FULL, level_now, percent
from vivero_data.web.limit_mail import letter

IDENTITY = Identity("Acme GmbH", "https://acme.example.com")


@pytest.mark.parametrize(
    ("told", "used", "limit", "level"),
    [
        (0, 79, 100, 0),
        (0, 80, 100, NEARLY_FULL),
        (0, 99, 100, NEARLY_FULL),
        (0, 100, 100, FULL),
        (0, 300, 100, FULL),  # of a plan that became smaller
        (NEARLY_FULL, 75, 100, NEARLY_FULL),
        (NEARLY_FULL, 74, 100, 0),
        (FULL, 95, 100, FULL),
        (FULL, 94, 100, NEARLY_FULL),
        (FULL, 10, 100, 0),
        (FULL, 100, None, 0),
        (0, 0, 0, 0),
        (0, 1, 0, FULL),
    ],
)
def test_a_level_is_reached_and_left(told: int, used: int, limit: int | None, level: int) -> None:
    assert level_now(told, used, limit) == level


@given(st.integers(min_value=0), st.integers(min_value=0))
def test_percent_stays_within_its_bounds(used: int, limit: int) -> None:
    assert 0 <= percent(used, limit) <= 100


@given(st.sampled_from([0, NEARLY_FULL, FULL]), st.integers(0, 300), st.integers(1, 200))
def test_what_was_told_is_not_reached_again_at_once(told: int, used: int, limit: int) -> None:
    level = level_now(told, used, limit)
    assert level_now(level, used, limit) == level


@given(st.integers(0, 100), st.integers(0, 4), st.integers(0, 4))
def test_to_and_fro_around_a_level_is_told_once(start: int, down: int, up: int) -> None:
    level = level_now(0, start, 100)
    for used in (start - down, start - down + up, start):
        before, level = level, level_now(level, max(0, used), 100)
        assert level <= max(before, level_now(0, max(start, used), 100))
    assert level_now(level, start, 100) <= max(level, level_now(0, start, 100))


@pytest.mark.parametrize(
    ("resource", "used", "said"),
    [
        ("records", 8_000, "8,000 of the 10,000 of records"),
        ("users", 10_000, "10,000 of the 10,000 of users"),
        ("storage_bytes", 10_000, "9.8 KiB of the 9.8 KiB of storage"),
    ],
)
def test_a_mail_has_the_figure_and_says_what_to_do(resource: Resource, used: int, said: str) -> None:
    subject, text = letter(IDENTITY, "trial", resource, used, 10_000)
    assert subject.startswith(f"Acme GmbH: {used // 100} % of the plan's ")
    assert said in text
    assert "https://acme.example.com/usage\n" in text
    assert ("Nothing can be added" in text) == (used == 10_000)
