"""The control plane as people and programs meet it."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from e2e.conftest import opened, watched
from integration.control_plane.leftovers import erase_signups
from playwright.sync_api import Browser, Page, StorageState, expect
from vivero_dev.localhost import local_client


@dataclass(frozen=True, slots=True)
class Person:
    """Who signs up."""

    company: str
    email: str
    password: str
    slug: str


def somebody() -> Person:
    """A new company each time: slugs are taken for good."""
    mark = secrets.token_hex(4)
    return Person(
        f"Brisa Söhne {mark}", f"ada-{mark}@example.com", f"seven-green-bottles-{mark}", f"brisa-sohne-{mark}"
    )


@pytest.fixture
def person(platform: dict[str, Any]) -> Iterator[Person]:
    made = somebody()
    yield made
    erase_signups(Path(platform["kubeconfig"]), [made.slug])


@pytest.fixture(scope="session")
def home(platform: dict[str, Any]) -> str:
    address: str = platform["control_plane_url"]
    return address.rstrip("/")


@pytest.fixture
def api(platform: dict[str, Any], home: str) -> Iterator[httpx.Client]:
    with local_client(Path(platform["ca"])) as client:
        client.base_url = httpx.URL(home)
        yield client


def sign_up(page: Page, home: str, person: Person) -> None:
    """The form, sent; the page is then the progress page or already the workspace."""
    page.goto(f"{home}/signup")
    page.get_by_label("Company").fill(person.company)
    page.get_by_label("Work e-mail").fill(person.email)
    page.get_by_label("Password", exact=True).fill(person.password)
    page.get_by_role("button", name="Start free trial").click()


@pytest.fixture(scope="session")
def staff_session(browser: Browser, platform: dict[str, Any], home: str) -> StorageState:
    """The cookie of one login for all tests: logins are counted, and few are allowed in an hour."""
    with opened(browser) as context:
        page = context.new_page()
        page.goto(f"{home}/staff/tenants")
        log_in(page, platform["admin"])
        return context.storage_state()


def log_in(page: Page, admin: dict[str, str]) -> None:
    """From the login that a staff page led to, on to that page."""
    expect(page.get_by_role("heading", name="Staff login")).to_be_visible()
    page.get_by_label("E-mail").fill(admin["email"])
    page.get_by_label("Password", exact=True).fill(admin["password"])
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Tenants")).to_be_visible()


@pytest.fixture
def staff(browser: Browser, staff_session: StorageState, home: str) -> Iterator[Page]:
    """The tenants page of the staff console, logged in."""
    with opened(browser, storage_state=staff_session) as context, watched(context) as page:
        page.goto(f"{home}/staff/tenants")
        yield page


@pytest.fixture
def wait_for_state(api: httpx.Client) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Follow a signup by the API until it is finished."""

    def wait(signup: dict[str, Any]) -> dict[str, Any]:
        path, bearer = f"/api/v1/signups/{signup['id']}", {"Authorization": f"Bearer {signup['bearer']}"}
        with api.stream("GET", f"{path}/events", timeout=120) as stream:
            for _ in stream.iter_lines():
                pass
        found: dict[str, Any] = api.get(path, headers=bearer).json()
        return found

    return wait


@pytest.fixture
def workspace(
    api: httpx.Client, person: Person, wait_for_state: Callable[[dict[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    """A new tenant, made through the API: its signup as it stands when ready."""
    body = {"company": person.company, "email": person.email, "password": person.password}
    answer = api.post("/api/v1/signups", json=body)
    assert answer.status_code == 202, answer.text
    ready = wait_for_state(answer.json())
    assert ready["state"] == "ready", ready
    return ready
