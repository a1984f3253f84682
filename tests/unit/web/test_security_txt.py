"""RFC 9116, in a program that has a contact, and nothing in one that has none."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from support.asgi import transport_to
from support.programs import PROGRAMS, answered
from vivero_web.clock import Clock, now
from vivero_web.security_txt import PATH, security_txt, security_txt_routes

CONTACTS = ["mailto:security@example.com", "https://example.com/security", "tel:+34-600-000-000"]
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  Hypothesis' own bounds are naive


async def asked(contact: str | None, clock: Clock = now) -> httpx.Response:
    app = Litestar(security_txt_routes(contact, clock), logging_config=None)
    async with httpx.AsyncClient(transport=transport_to(app), base_url="https://test") as client:
        return await client.get(PATH)


@given(st.sampled_from(CONTACTS), MOMENTS)
def test_it_names_the_contact_and_ends_within_a_year(contact: str, moment: datetime) -> None:
    fields = dict(line.split(": ", 1) for line in security_txt(contact, moment).splitlines())
    assert fields["Contact"] == contact
    expires = datetime.fromisoformat(fields["Expires"])
    assert timedelta(days=30) < expires - moment < timedelta(days=365)


@pytest.mark.parametrize("contact", CONTACTS)
async def test_it_is_served_as_the_standard_says(contact: str) -> None:
    answer = await asked(contact)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert f"Contact: {contact}\n" in answer.text


@pytest.mark.parametrize("program", PROGRAMS)
def test_both_programs_have_it(program: str, tmp_path: Path) -> None:
    assert PATH in {one.path for one in answered(PROGRAMS[program](tmp_path))}


async def test_without_a_contact_there_is_none() -> None:
    assert (await asked(None)).status_code == 404
