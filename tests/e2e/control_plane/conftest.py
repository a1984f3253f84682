"""The control plane as people and programs meet it."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect
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
def person() -> Person:
    return somebody()


@pytest.fixture(scope="session")
def home(platform: dict[str, Any]) -> str:
    address: str = platform["control_plane_url"]
    return address.rstrip("/")


@pytest.fixture(scope="session")
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


@pytest.fixture
def staff(platform: dict[str, Any], home: str, page: Page) -> Page:
    """A page of the staff console, logged in."""
    page.goto(f"{home}/staff/tenants")
    expect(page.get_by_role("heading", name="Staff login")).to_be_visible()
    page.get_by_label("E-mail").fill(platform["admin"]["email"])
    page.get_by_label("Password", exact=True).fill(platform["admin"]["password"])
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Tenants")).to_be_visible()
    return page


@pytest.fixture
def wait_for_state(api: httpx.Client) -> Callable[[str], dict[str, Any]]:
    """Follow a signup by the API until it is finished."""

    def wait(signup_id: str) -> dict[str, Any]:
        with api.stream("GET", f"/api/v1/signups/{signup_id}/events", timeout=120) as stream:
            for _ in stream.iter_lines():
                pass
        found: dict[str, Any] = api.get(f"/api/v1/signups/{signup_id}").json()
        return found

    return wait


@pytest.fixture
def workspace(api: httpx.Client, person: Person, wait_for_state: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """A new tenant, made through the API: its signup as it stands when ready."""
    body = {"company": person.company, "email": person.email, "password": person.password}
    answer = api.post("/api/v1/signups", json=body)
    assert answer.status_code == 202, answer.text
    ready = wait_for_state(answer.json()["id"])
    assert ready["state"] == "ready", ready
    return ready
