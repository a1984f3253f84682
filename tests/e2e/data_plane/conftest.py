"""The demo tenant's workspace in real Chromium."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import pytest
from e2e.conftest import Complaints, opened
from playwright.sync_api import Browser, Page


class Workspace:
    """A logged-in page, and what it made, which goes away again."""

    def __init__(self, page: Page, demo: dict[str, Any]) -> None:
        self.page = page
        self.url: str = demo["url"].rstrip("/")
        self.demo = demo
        self.collections: list[str] = []

    def open(self, path: str) -> None:
        answer = self.page.goto(self.url + path)
        assert answer
        assert answer.ok, f"{path} answered {answer.status}"

    def log_in(self) -> None:
        self.open("/login")
        self.page.get_by_label("E-mail").fill(self.demo["email"])
        self.page.get_by_label("Password", exact=True).fill(self.demo["password"])
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(self.url + "/")

    def collection(self, *fields: tuple[str, str]) -> str:
        """A new collection with these fields (name, type's words); its name."""
        name = f"Test {secrets.token_hex(4)}"
        self.open("/new-collection")
        self.page.get_by_label("Name", exact=True).fill(name)
        for number, (field, words) in enumerate(fields):
            row = self.page.locator(f"#field-{number}-name")
            if not row.count():
                self.page.get_by_role("button", name="Add a field").click()
            row.fill(field)
            self.page.locator(f"#field-{number}-type").select_option(label=words)
        self.page.get_by_role("button", name="Create collection").last.click()
        self.page.wait_for_url(self.at(name))
        self.collections.append(name)
        return name

    def at(self, name: str, rest: str = "") -> str:
        return f"{self.url}/collections/{quote(name)}{rest}"

    def tidy(self) -> None:
        for name in self.collections:
            self.open(f"/collections/{quote(name)}/fields")
            self.page.get_by_label("Type the collection", exact=False).fill(name)
            self.page.get_by_role("button", name="Delete collection").click()
            self.page.wait_for_url(self.url + "/collections")


@pytest.fixture
def fresh(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Pages of browsers that know nothing; the test fails when one had something to complain about."""
    with ExitStack() as stack:
        heard: list[Complaints] = []

        def make(**options: Any) -> Page:  # noqa: ANN401  Playwright's own options
            page = stack.enter_context(opened(browser, **options)).new_page()
            heard.append(Complaints(page))
            return page

        yield make
        assert [words for complaints in heard for words in complaints.said] == []


@pytest.fixture
def enter(fresh: Callable[..., Page], platform: dict[str, Any]) -> Iterator[Callable[..., Workspace]]:
    """Logs in, in a browser with the given options; what was made there goes away again."""
    entered: list[Workspace] = []

    def make(**options: Any) -> Workspace:  # noqa: ANN401  Playwright's own options
        workspace = Workspace(fresh(**options), platform["demo_tenant"])
        entered.append(workspace)
        workspace.log_in()
        return workspace

    yield make
    for workspace in entered:
        workspace.tidy()


@pytest.fixture
def workspace(enter: Callable[..., Workspace]) -> Workspace:
    return enter()
