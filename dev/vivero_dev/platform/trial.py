"""A trial signup through the public API and the ingress."""

import re
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from vivero_dev.errors import ComponentError
from vivero_dev.localhost import local_client

SIGNUP_SECONDS = 90.0
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Trial:
    """A finished signup. `seconds`: from the request to the first authenticated answer of the workspace."""

    name: str
    url: str
    email: str
    password: str
    seconds: float
    login_url: str


def sign_up(control_plane_url: str, authority: Path, *, company: str, email: str, password: str) -> Trial:
    """Sign up, wait until the workspace is ready, log in; raises ComponentError with the API's error."""
    with local_client(authority) as client:
        begin = time.monotonic()
        signup = _request(client, control_plane_url, company=company, email=email, password=password)
        signup = _await_ready(client, control_plane_url, signup, begin + SIGNUP_SECONDS)
        tenant = signup["tenant"]
        _await_login(client, tenant["url"], email, password, begin + SIGNUP_SECONDS)
        seconds = time.monotonic() - begin
    return Trial(tenant["name"], tenant["url"], email, password, seconds, signup.get("login_url", ""))


def confirm(client: httpx.Client, control_plane_url: str, mail_url: str, email: str) -> None:
    """Follow the link in the newest mail to `email` that confirms the address; raises ComponentError when none comes."""
    deadline = time.monotonic() + SIGNUP_SECONDS
    while (code := _newest_code(client, mail_url, email)) is None:
        if time.monotonic() > deadline:
            raise ComponentError("mail sink", f"no link for {email} within {SIGNUP_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)
    _answered(client.post(f"{control_plane_url}/api/v1/signups/confirmations", json={"code": code}))


def _newest_code(client: httpx.Client, mail_url: str, email: str) -> str | None:
    found = _answered(client.get(f"{mail_url}/api/messages", params={"to": email}))["messages"]
    links = (re.search(r"https://\S+/confirm#(\S+)", mail["text"]) for mail in found)
    return next((link[1] for link in links if link), None)


def _request(client: httpx.Client, base: str, *, company: str, email: str, password: str) -> dict[str, Any]:
    return _answered(
        client.post(
            f"{base}/api/v1/signups",
            json={"company": company, "email": email, "password": password},
            headers={"Idempotency-Key": str(uuid.uuid4())},
        )
    )


def _await_ready(client: httpx.Client, base: str, signup: dict[str, Any], deadline: float) -> dict[str, Any]:
    bearer = {"Authorization": f"Bearer {signup['bearer']}"}
    while signup["state"] != "ready":
        if signup["state"] == "failed":
            raise ComponentError("signup", f"failed: {signup}")
        if time.monotonic() > deadline:
            raise ComponentError(f"Tenant {signup['tenant']}", f"not ready within {SIGNUP_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)
        signup = _answered(client.get(f"{base}/api/v1/signups/{signup['id']}", headers=bearer))
    return signup


def _await_login(client: httpx.Client, url: str, email: str, password: str, deadline: float) -> None:
    """Log in and ask who we are; the ingress may need a moment to learn the new host."""
    while True:
        login = client.post(f"{url}/api/v1/auth/login", json={"email": email, "password": password})
        if login.is_success:
            token = login.json()["access_token"]
            _answered(client.get(f"{url}/api/v1/me", headers={"Authorization": f"Bearer {token}"}))
            return
        if time.monotonic() > deadline:
            raise ComponentError(f"workspace {url}", f"login answers {login.status_code}: {login.text[:500]}")
        time.sleep(POLL_SECONDS)


def _answered(response: httpx.Response) -> dict[str, Any]:
    if not response.is_success:
        place = f"{response.request.method} {response.request.url.path}"
        raise ComponentError("control plane", f"{place} answered {response.status_code}: {response.text[:500]}")
    body: dict[str, Any] = response.json()
    return body
