"""Unit tests need no build of the page assets: where there is none, files without content stand in for it."""

import json
import re
import tempfile
from pathlib import Path

from vivero_ui import alone, assets

ROOT = Path(__file__).parents[2]
_NAMED = re.compile(r"""(?:asset|data_uri)\(["']([\w.-]+)["']\)""")


def _stand_in() -> Path:
    """A folder as a build leaves it, with every file that a template or the kit names, and every icon."""
    folder = Path(tempfile.mkdtemp(prefix="vivero-assets-"))
    kit_and_pages = ("ui/vivero_ui", "control_plane/vivero_control", "data_plane/vivero_data")
    templates = (path for place in kit_and_pages for path in (ROOT / place).rglob("*.html.j2"))
    named = {name for path in templates for name in _NAMED.findall(path.read_text())}
    hashed = {name: "-STANDSIN.".join(name.rsplit(".", 1)) for name in named | {alone.STYLESHEET, alone.SCRIPT}}
    for name in hashed.values():
        (folder / name).touch()
    icons = (ROOT / "ui/src/icons.txt").read_text().split("\n")
    (folder / "icons.json").write_text(json.dumps(dict.fromkeys(icons, "<path/>")))
    (folder / "manifest.json").write_text(json.dumps(hashed))
    return folder


if not (assets.DIST / "manifest.json").exists():
    assets.DIST = _stand_in()  # type: ignore[misc]  # before anything else imports it
