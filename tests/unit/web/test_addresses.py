"""Nothing in an address opens anything: proxies, histories and bug reports have addresses in clear."""

from pathlib import Path

import pytest
from support.programs import PROGRAMS, Answered, answered
from vivero_web.redaction import HIDDEN, redact_event

# Whatever else stands in an address of ours, and why it may: without a session, a bearer or a token it opens nothing.
HARMLESS = {
    "signup_id": "names a signup; its bearer opens it",
    "name": "a tenant's or collection's name",
    "record_id": "a number",
    "user_id": "a number",
    "file_id": "names a file; a session opens it",
    "workspace_id": "a tenant's id, which its namespace has as well",
    "file_path": "a static file that everybody gets",
    "next": "where a login leads",
    "q": "what staff search for",
    "cursor": "where a page of a list begins",
    "sort": "an order",
    "filter": "a condition",
    "limit": "a number",
    "offset": "a number",
}


@pytest.fixture(params=PROGRAMS)
def routes(request: pytest.FixtureRequest, tmp_path: Path) -> list[Answered]:
    return list(answered(PROGRAMS[request.param](tmp_path)))


def test_no_parameter_in_a_path_or_query_is_a_secret(routes: list[Answered]) -> None:
    assert len(routes) > 20
    for one in routes:
        names = parameters(one)
        assert names <= set(HARMLESS), f"{one.method} {one.path}: say why these may stand in every log"


def test_no_harmless_parameter_is_called_like_a_secret() -> None:
    shown = redact_event(None, "", dict.fromkeys(HARMLESS, "shown"))
    assert HIDDEN not in shown.values()
