"""kubectl, and a real browser on the platform's own certificates, for every end-to-end test.

Chromium verifies TLS as it does for people: the local certificate authority is
put into a certificate database of its own, nothing is ignored.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymysql
import pytest
from e2e.cluster import Kubectl, Sql
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect, sync_playwright
from vivero_dev.instance import Instance, load_instance
from vivero_dev.providers import provider_for
from vivero_dev.testing.browser import CERTIFICATES
from vivero_dev.testing.browser import browser as find_browser

ROOT = Path(__file__).parents[2]
AXE = ROOT / "ui/node_modules/axe-core/axe.min.js"
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",  # the tests run as root, where Chromium's own sandbox refuses to start
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
PATIENCE_MS = 30_000  # a wait ends as soon as its condition holds: only a busy machine needs all of it

Shoot = Callable[[Page, str], None]


def _installed(program: str | None) -> str:
    if program is None:
        pytest.fail("no browser, or no certutil; ./vivero test installs them")
    return program


def _trusting_home(folder: Path, authority: Path) -> Path:
    """A home folder whose certificate database trusts the local authority; Chromium reads it from $HOME."""
    database = folder / ".pki/nssdb"
    database.mkdir(parents=True)
    certutil = _installed(shutil.which(CERTIFICATES))
    for arguments in (
        ["-N", "--empty-password"],
        ["-A", "-n", "vivero", "-t", "C,,", "-i", str(authority)],
    ):
        subprocess.run([certutil, "-d", f"sql:{database}", *arguments], check=True, timeout=30)  # noqa: S603  own words
    return folder


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(
    playwright: Playwright, platform: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """The distribution's Chromium; `*.localhost` is this machine to it by itself."""
    home = _trusting_home(tmp_path_factory.mktemp("browser"), Path(platform["ca"]))
    chromium = playwright.chromium.launch(
        executable_path=_installed(find_browser()),
        args=list(CHROMIUM_ARGUMENTS),
        env={**os.environ, "HOME": str(home)},
    )
    yield chromium
    chromium.close()


@contextmanager
def opened(browser: Browser, **options: Any) -> Iterator[BrowserContext]:  # noqa: ANN401  Playwright's own options
    """A context with no memory of another; `options` as for Browser.new_context."""
    context = browser.new_context(**{"viewport": DESKTOP, "reduced_motion": "reduce", **options})
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


class Complaints:
    """What the browser complained about: a broken policy, a failing script. Answers with an error status are no fault."""

    def __init__(self, page: Page) -> None:
        self.said: list[str] = []
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("console", self._hear)

    def of_ours(self) -> list[str]:
        """Nothing where the machine's network changed under the browser: another instance came or went beside us."""
        return [] if any("ERR_NETWORK_CHANGED" in one for one in self.said) else self.said

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "the server responded with a status of" not in message.text:
            self.said.append(message.text)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with opened(browser) as made:
        yield made


@contextmanager
def watched(context: BrowserContext) -> Iterator[Page]:
    """A page; the block fails when the browser had something to complain about."""
    page = context.new_page()
    complaints = Complaints(page)
    yield page
    assert complaints.of_ours() == []


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    with watched(context) as made:
        yield made


@pytest.fixture(scope="session")
def shoot() -> Shoot:
    """Save the page as people see it, at both widths and in both themes, into $VIVERO_SCREENSHOTS when that is set."""
    folder = os.environ.get("VIVERO_SCREENSHOTS")

    def save(page: Page, name: str) -> None:
        if not folder:
            return
        Path(folder).mkdir(parents=True, exist_ok=True)
        for device, size in (("desktop", DESKTOP), ("phone", PHONE)):
            page.set_viewport_size({"width": size["width"], "height": size["height"]})
            for scheme in ("light", "dark"):
                show_in(page, scheme)
                page.screenshot(path=Path(folder) / f"{name}-{device}-{scheme}.png", full_page=True)
        page.emulate_media(color_scheme="null")
        page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})

    return save


def show_in(page: Page, scheme: str) -> None:
    """Switch the theme and wait until no colour is on its way any more."""
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its literals
    page.evaluate(
        """async () => {
            await new Promise(requestAnimationFrame);
            const moving = document.getAnimations().filter((one) => one instanceof CSSTransition);
            await Promise.all(moving.map((one) => one.finished.catch(() => {})));
        }"""
    )


def assert_accessible(page: Page) -> None:
    """No serious or critical finding of axe-core in either theme, and nothing wider than a phone."""
    source = AXE.read_text()
    # A theme is other colours and nothing else; all the other rules would find twice what they find.
    for scheme, rules in (("light", ""), ("dark", ", runOnly: ['color-contrast', 'link-in-text-block']")):
        show_in(page, scheme)
        page.evaluate(source)
        found = page.evaluate(f"axe.run(document, {{resultTypes: ['violations']{rules}}})")
        grave = [
            (one["id"], one["help"], [node["html"][:160] for node in one["nodes"][:3]])
            for one in found["violations"]
            if one["impact"] in {"serious", "critical"}
        ]
        assert grave == [], f"{page.url} in {scheme}"
    page.emulate_media(color_scheme="null")
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{page.url} is wider than a phone"
    page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})


@pytest.fixture(scope="session")
def accessible() -> Callable[[Page], None]:
    return assert_accessible


@pytest.fixture(autouse=True, scope="session")
def _patience() -> None:
    expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def instance(platform: dict[str, Any]) -> Instance:
    """The local platform's instance; its kubeconfig lies in the folder of its name."""
    found = load_instance(Path(platform["kubeconfig"]).parent.name)
    assert found is not None
    return found


@pytest.fixture(scope="session")
def kubectl(instance: Instance) -> Kubectl:
    """Run kubectl against the platform; the text it printed. A refusal raises with kubectl's own words."""
    program = provider_for(instance, "auto").kubectl()

    def call(*arguments: str, given: str | None = None, seconds: float = 90) -> str:
        done = subprocess.run(  # noqa: S603  arguments are the tests' own
            program.command(*arguments), input=given, capture_output=True, text=True, timeout=seconds, check=False
        )
        if done.returncode:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    return call


@pytest.fixture(scope="session")
def sql(platform: dict[str, Any]) -> Sql:
    """Run a statement with the login of MariaDB's administrator; its rows."""
    maria = platform["mariadb"]

    def run(statement: str) -> list[tuple[Any, ...]]:
        with (
            pymysql.connect(
                host=maria["host"],
                port=int(maria["port"]),
                user=maria["admin_user"],
                password=maria["admin_password"],
                ssl={"ca": maria["ca"]},
                autocommit=True,
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
            return list(cursor.fetchall())

    return run


@pytest.fixture
def apply(kubectl: Kubectl) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Apply a resource; what a test applied is deleted at its end, waiting until it is gone."""
    applied: list[tuple[str, str]] = []

    def create(resource: dict[str, Any]) -> None:
        applied.append((resource["kind"], resource["metadata"]["name"]))
        kubectl("apply", "-f", "-", given=json.dumps(resource))

    yield create
    for kind, name in reversed(applied):
        kubectl("delete", kind, name, "--ignore-not-found", "--timeout=80s")
