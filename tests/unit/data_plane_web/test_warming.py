import subprocess
import sys

import pytest
from unit.data_plane_web.fakes import FakeIdentity, World
from vivero_data import warming
from vivero_data.domain.identity.service import Identity
from vivero_data.web import render
from vivero_ui import assets

PROGRAM = """
import sys
from vivero_data import lean
lean.apply()
import vivero_data.app
from pathlib import Path
from vivero_data.web import render
from vivero_ui import assets
assets.DIST = Path(sys.argv[1])
assert "jinja2" not in sys.modules
render.warm()
before = set(sys.modules)
from vivero_data.web.render import html
shown = {
    "workspace": "Acme GmbH",
    "host": "acme.example.com",
    "target": "/",
    "email": "",
    "problem": None,
    "pending": None,
    "notice": "",
    "as_of": None,
}
page = html("login.html.j2", shown)
print(sorted(set(sys.modules) - before), "Log in to Acme GmbH" in page.content)
"""


@pytest.mark.parametrize(
    ("identity", "warmed"),
    [(Identity("Workspace", ""), 1), (Identity("Acme GmbH", "https://acme.example.com"), 0)],
)
async def test_only_a_spare_is_warmed(monkeypatch: pytest.MonkeyPatch, identity: Identity, warmed: int) -> None:
    calls: list[int] = []
    monkeypatch.setattr(warming, "_QUIET_SECONDS", 0)
    monkeypatch.setattr(render, "warm", lambda: calls.append(1))
    world = World()
    world.identity = identity
    await warming.warm_spare(FakeIdentity(world))
    assert len(calls) == warmed


def test_a_warm_process_loads_nothing_for_its_first_page() -> None:
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-W", "ignore", "-c", PROGRAM, assets.DIST],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.strip() == "[] True", done.stderr
