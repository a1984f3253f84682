"""What an idle pod must not hold: checked in a process of its own, because this one holds it all."""

import subprocess
import sys

HEAVY = ("aiosmtplib", "alembic", "boto3", "botocore", "greenlet", "httpx", "jinja2", "pydantic", "pymysql", "rich", "sentry_sdk", "sqlalchemy", "uvloop")  # fmt: skip
UNTIL_ASKED = ("vivero_web.openapi_document", "vivero_web.openapi_responses", "vivero_web.openapi_operations")
PROGRAM = """
import sys
from vivero_data import lean
lean.apply()
import vivero_data.main, vivero_data.app, uvicorn
print(*sorted({name.partition(".")[0] for name, module in sys.modules.items() if module is not None}))
print(*(name for name in sys.modules if name.startswith("vivero_web.")))
"""


def test_serving_imports_nothing_heavy() -> None:
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    loaded = set(done.stdout.split())
    assert "litestar" in loaded
    assert loaded.isdisjoint(HEAVY)
    assert "vivero_web.openapi" in loaded
    assert loaded.isdisjoint(UNTIL_ASKED)


def test_migrating_may_import_what_it_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from vivero_data import lean; lean.apply(['migrate']); import sqlalchemy"],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0
