"""The manual as pages: every chapter opens, its links lead to pages, and its words are found."""

import re
from pathlib import Path

import pytest
from unit.data_plane_web.browser import Browser
from unit.data_plane_web.fakes import World
from vivero_data.domain.users.schemas import Role
from vivero_data.web import manual

ROOT = Path(__file__).parents[3]
SOURCES = [
    *(ROOT / "data_plane" / "vivero_data" / "web").rglob("*.j2"),
    *(ROOT / "data_plane" / "vivero_data").rglob("*.py"),
    *(ROOT / "control_plane" / "vivero_control" / "web").rglob("*.j2"),  # of the account
    *(ROOT / "ui" / "vivero_ui" / "templates").rglob("*.j2"),
]
CHAPTERS = [one.name for one in manual.chapters()]


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_opens_and_its_links_lead_to_pages(browser: Browser, name: str) -> None:
    page = browser.open(f"/help/{name}")
    assert page.count("<h1") == 1
    article = page.partition("<article")[2].partition("</article>")[0]
    words = re.sub(r"<code>.*?</code>", "", article, flags=re.DOTALL)
    assert not re.search(r"[`*|]|^[#-]", re.sub(r"<[^>]+>", "", words), re.MULTILINE), "Markdown that is not known"
    for link in re.findall(r'href="([^"]+)"', article):
        assert link.startswith("https://") or link.removeprefix("/help/") in CHAPTERS, link


def test_the_contents_have_all_chapters_and_are_searched(browser: Browser, world: World) -> None:
    world.role = Role.VIEWER
    page = browser.open("/help")
    assert re.findall(r'href="/help/([a-z-]+)"', page) == CHAPTERS
    assert len(CHAPTERS) > 10
    assert re.findall(r'href="/help/([a-z-]+)"', browser.open("/help?q=Idempotency-Key+SHELL")) == ["api"]
    assert "Nothing matches" in browser.open("/help?q=%3Cscript%3E")


@pytest.mark.parametrize("name", ["README", "nothing", "..%2Finstall", "README.md"])
def test_nothing_else_of_the_folder_is_served(browser: Browser, name: str) -> None:
    browser.open(f"/help/{name}", 404)


def test_help_needs_a_login(browser: Browser, world: World) -> None:
    world.signed_in = False
    for path in ("/help", "/help/api"):
        assert browser.client.get(path, follow_redirects=False).headers["location"].startswith("/login")


def test_the_labels_that_the_manual_names_are_on_pages() -> None:
    """Those in bold and in italics, as the whole of a text or of a label."""
    written = "\n".join(path.read_text() for path in SOURCES)
    named = 0
    for name in CHAPTERS:
        words = re.sub(r"```.*?```|`[^`]*`", "", (manual.FOLDER / f"{name}.md").read_text(), flags=re.DOTALL)
        for found in re.findall(r"\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*", words):
            label = "".join(found)
            named += 1
            assert re.search(rf"[\">]{re.escape(label)}[\"<]", written, re.IGNORECASE), (name, label)
    assert named > 30
