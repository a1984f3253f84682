import re
from pathlib import Path

import pytest
from vivero_ui.assets import DIST, asset, icon
from vivero_ui.errors import AssetMissingError

ROOT = Path(__file__).parents[3]
TEMPLATES = [
    path
    for folder in ("ui/vivero_ui", "control_plane/vivero_control/web", "data_plane/vivero_data/web")
    for path in (ROOT / folder).rglob("*.html.j2")
]
LISTED = set((ROOT / "ui/src/icons.txt").read_text().splitlines())


@pytest.mark.parametrize(
    "name", ["app.css", "alone.css", "app.js", "site.js", "theme-boot.js", "favicon.svg", "mark.svg"]
)
def test_a_built_file_has_its_content_in_its_name(name: str) -> None:
    address = asset(name)
    assert re.fullmatch(r"/static/[\w-]+-[A-Z0-9]{8}\.\w+", address)
    assert (DIST / address.removeprefix("/static/")).is_file()


def test_an_unknown_file_is_named() -> None:
    with pytest.raises(AssetMissingError, match=r"nothing\.css"):
        asset("nothing.css")


def test_an_icon_is_hidden_unless_it_says_something() -> None:
    assert 'aria-hidden="true"' in icon("check")
    said = icon("check", label='"><script>')
    assert 'role="img"' in said
    assert "<script>" not in said


def test_an_unknown_icon_says_where_to_add_it() -> None:
    with pytest.raises(AssetMissingError, match=r"icons\.txt"):
        icon("nope")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_icon_a_template_names_is_listed(path: Path) -> None:
    named = set(re.findall(r'icon\("([a-z0-9-]+)"', path.read_text()))
    assert named <= LISTED


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_what_the_content_security_policy_refuses(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert "| safe" not in text
    assert "|safe" not in text


def test_the_stylesheet_and_scripts_load_nothing_from_elsewhere() -> None:
    styles = [*DIST.glob("*.css"), *(ROOT / "ui/src").rglob("*.css")]
    scripts = list((ROOT / "ui/src/js").glob("*.js"))
    assert min(len(styles), len(scripts)) > 1
    for path in styles:
        assert not re.search(r"url\(\s*[\"']?(?:https?:)?//", path.read_text())
    for path in scripts:
        assert "http://" not in path.read_text()
        assert "https://" not in path.read_text()
