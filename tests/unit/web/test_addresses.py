"""Nothing in an address opens anything: proxies, histories and bug reports have addresses in clear."""

import re
from pathlib import Path

import pytest
from support.programs import PROGRAMS, Answered, answered
from vivero_core.log_events import HIDDEN, redact_event

# Whatever else stands in an address of ours, and why it may: without a session, a bearer or a token it opens nothing.
HARMLESS = {
    "signup_id": "names a signup; its bearer opens it",
    "ident": "an id of a deleted tenant names its data; a session or token of staff opens it",
    "week": "a day",
    "outcome": "what has become of a trial",
    "owner": "who of the staff looks after it; a session or token of staff opens what is listed",
    "least": "the lowest score",
    "only": "why tenants want a look",
    "tile": "a figure; a session or token of staff opens it",
    "number": "numbers an incident of the status page, which everybody reads",
    "quote": "numbers a quote; a session or token of staff opens it, a customer has a link with a secret",
    "contract": "numbers a contract; a session or token of staff opens it",
    "channel": "where a signup came from, as staff name it; a session or token of staff opens what it leads to",
    "month": "a month",
    "run": "numbers an order of staff",
    "webhook": "numbers a webhook; a session or token of an admin opens it, and its secret is in no address",
    "message": "names a message that a webhook was sent; it opens nothing",
    "letter": "numbers a job that was given up; a session of staff opens it",
    "name": "a tenant's or collection's name",
    "operation": "a backup's or restore's name",
    "which": "what staff do to a tenant",
    "record_id": "a number",
    "collection_id": "a number",
    "user_id": "a number",
    "role_id": "a number",
    "staff_id": "names somebody of the staff; an admin's session or token opens it",
    "email": "of a colleague who asks to be invited; it opens nothing, and waits in the address through a login",
    "job_id": "a number; only the session of whoever asked for the job sees it",
    "login_id": "numbers a session; whoever's it is ends it with another of theirs",
    "webhook_id": "a number",
    "comment_id": "a number",
    "dashboard_id": "a number",
    "entry_id": "a number of what is in the trash",
    "field_id": "a number",
    "import_id": "a number; a session opens it",
    "index": "a tile's place",
    "export_id": "a number; a session opens it",
    "schedule_id": "a number",
    "grant_id": "names what an owner has granted; a signature of the control plane ends it",
    "mailing": "only stops the mails of one schedule to one person: mail programs send it as RFC 8058 says",
    "report_id": "a number",
    "sample_id": "a number",
    "view_id": "a number",
    "view": "a view's name or number",
    "field": "a field's name",
    "format": "a kind of file",
    "exact": "whether a count is exact",
    "allow_slow": "whether a list may take long",
    "preview": "whether a change is only looked at",
    "key_id": "numbers an API key; the session of whoever made it opens it, and its secret is in no address",
    "file_id": "names a file; a session opens it",
    "workspace_id": "a tenant's id, which its namespace has as well",
    "neighbour": "another tenant's id; the operator's token gets its answer",
    "path": "a spelling of the OpenAPI document",
    "file_path": "a static file that everybody gets",
    "next": "where a login leads",
    "by": "how somebody is added: by mail or with a password",
    "chapter": "one of the manual",
    "slug": "a section of the documentation",
    "q": "what staff search for",
    "kind": "a kind of entries",
    "cursor": "where a page of a list begins",
    "sort": "an order",
    "filter": "a condition",
    "where": "conditions",
    "limit": "a number",
    "search": "what staff search for",
    "plan": "a plan's name",
    "state": "a state of tenants",
    "descending": "an order",
    "actor": "whose deeds are asked for; a session shows them",
    "action": "a kind of action",
    "subject": "what an action was done to",
    "since": "a moment",
    "until": "a moment",
    "offset": "a number",
}


ROOT = Path(__file__).parents[3]
TEMPLATES = [
    path
    for folder in ("ui/vivero_ui", "control_plane/vivero_control/web", "data_plane/vivero_data/web")
    for path in (ROOT / folder).rglob("*.html.j2")
]


@pytest.fixture(params=PROGRAMS)
def routes(request: pytest.FixtureRequest, tmp_path: Path) -> list[Answered]:
    return list(answered(PROGRAMS[request.param](tmp_path)))


def test_no_parameter_in_a_path_or_query_is_a_secret(routes: list[Answered]) -> None:
    assert len(routes) > 20
    found = {(name, f"{one.method} {one.path}") for one in routes for name in one.in_path | one.in_query}
    assert {name: where for name, where in found if name not in HARMLESS} == {}, "say why it may stand in every log"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_what_is_secret_in_a_form_goes_into_its_body(path: Path) -> None:
    for attributes, inside in re.findall(r"<form([^>]*)>(.*?)</form>", path.read_text(), re.DOTALL):
        if re.search(r"password|link_secret|ticket", inside):
            assert 'method="post"' in attributes


def test_no_harmless_parameter_is_called_like_a_secret() -> None:
    shown = redact_event(None, "", dict.fromkeys(HARMLESS, "shown"))
    assert HIDDEN not in shown.values()
