"""A workspace whose trial has ended is bought, is not paid for once, and is open all the while: in a real browser.

The control plane and its worker are those of this very code, with the platform's services behind them and the stand-in
of Stripe beside them.
"""

import asyncio
import json
import re
import secrets
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pymysql
import pytest
from e2e.cluster import Kubectl, tenant
from e2e.conftest import PATIENCE_MS, Shoot
from integration.control_plane.own import own_settings
from integration.control_plane.support import running
from playwright.sync_api import Page, expect
from pydantic import AnyHttpUrl
from support.payments import WEBHOOK_SECRET, Payments, payments
from support.sockets import free_port
from vivero_control import composition
from vivero_control.app import create_program
from vivero_control.domain.tenants.policies import timestamp
from vivero_control.settings import Settings
from vivero_control.web.pages import pages
from vivero_control.worker import Worker
from vivero_dev.localhost import local_client
from vivero_dev.payments.ledger import DAY
from vivero_dev.payments.webhooks import Destination, Webhooks
from vivero_web.clock import now

Check = Callable[[Page], None]


@dataclass(frozen=True)
class Shop:
    """Where the control plane is, and what it sells by."""

    home: str
    standin: Payments


@contextmanager
def working(settings: Settings) -> Iterator[None]:
    """Does the jobs in a thread. Without the periodic tasks of a worker: the platform's other workspaces have their own."""
    stop = threading.Event()

    async def work() -> None:
        infrastructure = composition.infrastructure(settings, now)
        async with infrastructure.open():
            while not stop.is_set():
                await Worker(infrastructure).drain()
                await asyncio.sleep(0.1)

    thread = threading.Thread(target=lambda: asyncio.run(work()), daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join(20)
    assert not thread.is_alive(), "it still works, and would take part in the tests that follow"


@pytest.fixture
def shop(platform: dict[str, Any]) -> Iterator[Shop]:
    at, tls = platform["mariadb"], ssl.create_default_context(cafile=platform["ca"])
    admin = pymysql.connect(
        host=at["host"], port=at["port"], user=at["admin_user"], password=at["admin_password"], ssl=tls, autocommit=True
    )
    with admin, payments() as standin, own_settings(platform, admin) as settings:
        port = free_port()
        # Browsers take our cookies from this machine without TLS; for people the setting must be https.
        home = f"http://localhost:{port}"
        selling = settings.model_copy(update={"billing": standin.settings, "public_url": AnyHttpUrl(home)})
        # At a host that is not its own it answers 404, once it knows the workspaces.
        with running(create_program(selling, pages()).public, ready=404, port=port), working(selling):
            standin.ledger.told = Webhooks(Destination(f"{home}/api/v1/billing/events"), WEBHOOK_SECRET).send
            yield Shop(home, standin)


@pytest.fixture
def ended(kubectl: Kubectl) -> Iterator[str]:
    """The slug of a workspace whose trial has ended."""
    name = f"brisa-{secrets.token_hex(4)}"
    body = tenant(
        name,
        displayName="Brisa Söhne & Co",
        plan="trial",
        trialEndsAt=timestamp(datetime.now(UTC) - timedelta(hours=1)),
        suspended={"reason": "TrialEnded", "message": "The trial has ended."},
    )
    kubectl("apply", "-f", "-", given=json.dumps(body))
    yield name
    kubectl("delete", "tenant", name, "--wait=false")


def spec_of(kubectl: Kubectl, name: str, path: str) -> str:
    return kubectl("get", "tenant", name, "-o", f"jsonpath={{.spec.{path}}}")


def mail_to(page: Page, platform: dict[str, Any], email: str, subject: str) -> str:
    """The text of the mail, once the worker has sent it; bounded by PATIENCE_MS."""
    with local_client(Path(platform["ca"])) as sink:
        for _ in range(PATIENCE_MS // 250):
            found = sink.get(f"{platform['mail']['url']}/api/messages", params={"to": email}).json()["messages"]
            texts: list[str] = [one["text"] for one in found if one["subject"] == subject]
            if texts:
                return texts[0]
            page.wait_for_timeout(250)
    raise AssertionError(f"no mail to {email}: {subject}")


def test_a_plan_is_bought_fails_once_and_goes_on(
    page: Page,
    shop: Shop,
    ended: str,
    platform: dict[str, Any],
    kubectl: Kubectl,
    shoot: Shoot,
    accessible: Check,
) -> None:
    email = f"owner@{ended}.example"
    page.goto(f"{shop.home}/account?workspace={ended}")
    expect(page.get_by_label("Your e-mail address, or the address of the workspace")).to_have_value(ended)
    accessible(page)
    shoot(page, "account-link")
    page.get_by_role("button", name="Mail me a link").click()
    expect(page.get_by_role("heading", name="Look at your mail")).to_be_visible()
    link = re.search(r"http://\S+#\S+", mail_to(page, platform, email, "Manage your Vivero workspace"))
    assert link

    page.goto(link[0])
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("heading", name="Brisa Söhne & Co")).to_be_visible()
    assert "#" not in page.url, "the secret has left the address bar"
    accessible(page)
    shoot(page, "account-overview")
    page.get_by_role("link", name="Choose a plan").click()
    accessible(page)
    shoot(page, "account-offers")

    page.get_by_role("button", name="Continue to payment of Starter").click()
    expect(page.get_by_text("no money moves")).to_be_visible()
    accessible(page)
    shoot(page, "stand-in-checkout")
    page.get_by_label("that is declined").check()
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("alert")).to_contain_text("declined")
    page.get_by_label("fails at renewals").check()
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_text("Your plan has started")).to_be_visible()
    expect(page.get_by_role("region", name="Invoices").get_by_text("Paid")).to_be_visible()
    assert spec_of(kubectl, ended, "plan") == "starter"
    assert spec_of(kubectl, ended, "suspended") == spec_of(kubectl, ended, "trialEndsAt") == ""
    accessible(page)
    shoot(page, "account-paid")
    mail_to(page, platform, email, "Your Vivero plan has started")

    shop.standin.ledger.advance(32 * DAY)
    assert f"{shop.home}/account?workspace={ended}" in mail_to(page, platform, email, "Your payment for Vivero failed")
    assert spec_of(kubectl, ended, "suspended") == "", "a failed payment closes nothing"
    page.goto(f"{shop.home}/account/plan")
    accessible(page)
    shoot(page, "account-failed")
    page.get_by_role("link", name="Pay the invoice").click()
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_text("paid")).to_be_visible()
    mail_to(page, platform, email, "Your payment for Vivero has arrived")
    page.goto(f"{shop.home}/account/plan")
    expect(page.get_by_text("A payment failed")).to_have_count(0)

    cancel_and_leave(page, accessible)


def cancel_and_leave(page: Page, accessible: Check) -> None:
    """On the provider's page, and back."""
    page.get_by_role("button", name="Payment method").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("ends on")).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="Back").click()
    expect(page.get_by_role("heading", name="Brisa Söhne & Co")).to_be_visible()
    page.get_by_role("button", name="Leave this page").click()
    expect(page.get_by_label("Your e-mail address, or the address of the workspace")).to_be_visible()
