"""What an idle pod must not hold: checked in a process of its own, because this one holds it all."""

import subprocess
import sys

from unit.data_plane.test_tokens import TENANT, TICKET_KEY, public, ticket

HEAVY = ("aiosmtplib", "alembic", "boto3", "botocore", "cryptography.hazmat", "greenlet", "httpx", "jinja2", "opentelemetry", "pydantic", "pymysql", "rich", "sentry_sdk", "sqlalchemy", "uvloop")  # fmt: skip
UNTIL_ASKED = (
    "vivero_core.error_reports.dsn",
    "vivero_core.error_reports.envelope",
    "vivero_core.error_reports.sender",
    "vivero_core.sending",
    "vivero_core.tracing.exporter",
    "vivero_web.openapi_document",
    "vivero_web.openapi_responses",
    "vivero_web.openapi_operations",
)
PROGRAM = """
import sys
from vivero_data import lean
lean.apply()
import vivero_data.main, vivero_data.app, uvicorn
print(*(name for name, module in sys.modules.items() if module is not None))
"""
TICKET = """
import sys
from vivero_data import lean
lean.apply()
import vivero_data.main, vivero_data.app
lean.end_of_imports()
from vivero_data.lib.tokens import read_ticket
print(read_ticket(*sys.argv[1:]).email)
"""


def run(program: str, *arguments: str) -> str:
    """What it prints, in a process of its own."""
    return subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-W", "ignore", "-c", program, *arguments],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def test_serving_imports_nothing_heavy() -> None:
    loaded = set(run(PROGRAM).split())
    assert "litestar" in loaded
    assert loaded.isdisjoint(HEAVY)
    assert "vivero_web.openapi" in loaded
    assert loaded.isdisjoint(UNTIL_ASKED)


def test_migrating_may_import_what_it_needs() -> None:
    run("from vivero_data import lean; lean.apply(['migrate']); import sqlalchemy, cryptography.hazmat")


def test_a_ticket_is_read_by_a_program_that_was_started_without_cryptography() -> None:
    assert run(TICKET, ticket(), public(TICKET_KEY), TENANT).strip() == "owner@example.com"
