"""The adapter of Stripe, over HTTP on the stand-in: what it sends, what it reads, and what it says of failures."""

import json
import ssl
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from pydantic import AnyHttpUrl, SecretStr, ValidationError
from support.payments import KEY, WEBHOOK_SECRET, Payments
from vivero_control.domain.billing import stripe
from vivero_control.domain.billing.errors import ProviderRefusedError, ProviderUnavailableError, SignatureError
from vivero_control.domain.billing.provider import Event, Offer
from vivero_control.domain.billing.schemas import Interval, InvoiceKind, InvoiceStatus, SubscriptionStatus
from vivero_control.domain.billing.stripe import Stripe, flat
from vivero_control.settings import BillingSettings
from vivero_dev.payments.ledger import DAY
from vivero_dev.payments.objects import after
from vivero_dev.payments.web import nested
from vivero_dev.payments.webhooks import signature
from vivero_web.errors import MalformedError

OFFER = Offer(
    tenant_uid="uid-1",
    plan="starter",
    title="Vivero Starter & Söhne",
    interval=Interval.MONTH,
    amount_cents=200_000,
    currency="EUR",
)
BACK = "https://vivero.localhost:8443/account"
NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


async def customer(adapter: Stripe, key: UUID | None = None) -> str:
    return await adapter.create_customer(
        key or uuid4(), email="owner@acme.example", name="Acme & Söhne", tenant_uid="uid-1"
    )


async def bought(adapter: Stripe, standin: Payments, card: str = "pays", offer: Offer = OFFER) -> str:
    who = await customer(adapter)
    page = await adapter.start_checkout(uuid4(), customer=who, offer=offer, return_url=BACK)
    assert standin.pay(page.url, card).headers["location"] == f"{BACK}?paid=true"
    return who


async def test_a_repeat_with_the_same_key_makes_nothing_more(adapter: Stripe, standin: Payments) -> None:
    key, order = uuid4(), uuid4()
    who = await customer(adapter, key)
    assert await customer(adapter, key) == who
    assert len(standin.ledger.customers) == 1
    pages = [await adapter.start_checkout(order, customer=who, offer=OFFER, return_url=BACK) for _ in range(2)]
    assert pages[0] == pages[1]
    assert len(standin.ledger.sessions) == 1
    with pytest.raises(ProviderRefusedError, match="idempotency"):
        await adapter.create_customer(key, email="other@acme.example", name="Other", tenant_uid="uid-1")


@pytest.mark.parametrize("interval", Interval)
async def test_what_was_bought(adapter: Stripe, standin: Payments, interval: Interval) -> None:
    who = await bought(adapter, standin, offer=structs.replace(OFFER, interval=interval))
    account = await adapter.account(who)
    (one,), (owed,) = account.subscriptions, account.invoices
    assert (one.status, one.plan, one.interval) == (SubscriptionStatus.ACTIVE, "starter", interval)
    assert (one.amount_cents, one.currency, one.ends_with_period) == (200_000, "EUR", False)
    days = (one.period_end - one.period_start).days
    assert days in ({28, 29, 30, 31} if interval is Interval.MONTH else {365, 366})
    assert (owed.status, owed.kind, owed.subscription) == (InvoiceStatus.PAID, InvoiceKind.FIRST, one.id)
    assert (owed.total_cents, owed.paid_cents, owed.period_start) == (200_000, 200_000, one.period_start)


async def test_a_declined_card_buys_nothing(adapter: Stripe, standin: Payments) -> None:
    who = await customer(adapter)
    page = await adapter.start_checkout(uuid4(), customer=who, offer=OFFER, return_url=BACK)
    assert "declined" in standin.pay(page.url, "declined").text
    assert (await adapter.account(who)).subscriptions == ()
    await adapter.expire_checkout(page.id)
    await adapter.expire_checkout(page.id)
    assert standin.pay(page.url).status_code == 400, "a page that was closed takes no money"
    assert (await adapter.account(who)).subscriptions == ()


async def test_a_renewal_that_fails_is_tried_again_until_it_is_given_up(adapter: Stripe, standin: Payments) -> None:
    who, ledger = await bought(adapter, standin, "fails-later"), standin.ledger
    seen = []
    for days in (32, 4, 6, 8):
        ledger.advance(days * DAY)
        account = await adapter.account(who)
        seen.append(account.subscriptions[0].status)
        assert len(account.invoices) == 2, "each attempt is for the same invoice"
    assert seen == ["past_due", "past_due", "past_due", "unpaid"]
    newest = (await adapter.account(who)).invoices[0]
    assert (newest.kind, newest.status, newest.paid_cents) == (InvoiceKind.RENEWAL, InvoiceStatus.OPEN, 0)
    assert newest.page_url is not None
    standin.pay(newest.page_url)
    account = await adapter.account(who)
    assert account.subscriptions[0].status is SubscriptionStatus.ACTIVE
    assert account.invoices[0].status is InvoiceStatus.PAID


async def test_renewals_go_on_without_gap_or_overlap(adapter: Stripe, standin: Payments) -> None:
    who = await bought(adapter, standin)
    standin.ledger.advance(400 * DAY)
    invoices = (await adapter.account(who)).invoices
    assert len(invoices) in {13, 14}
    periods = sorted((one.period_start, one.period_end) for one in invoices)
    assert all(one[1] == two[0] for one, two in pairwise(periods))


async def test_all_pages_of_a_list_are_read(
    adapter: Stripe, standin: Payments, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = await bought(adapter, standin)
    standin.ledger.advance(400 * DAY)
    expected = await adapter.account(who)
    monkeypatch.setattr(stripe, "PAGE", 3)
    assert await adapter.account(who) == expected
    monkeypatch.setattr(stripe, "MOST_PAGES", 2)
    with pytest.raises(ProviderUnavailableError):
        await adapter.account(who)


async def test_what_is_canceled_ends_with_its_period(adapter: Stripe, standin: Payments) -> None:
    who = await bought(adapter, standin)
    (one,) = (await adapter.account(who)).subscriptions
    standin.ledger.cancel_with_period(one.id, ends=True)
    assert (await adapter.account(who)).subscriptions[0].ends_with_period
    standin.ledger.advance(32 * DAY)
    assert (await adapter.account(who)).subscriptions[0].status is SubscriptionStatus.CANCELED


async def test_the_portal_is_the_customers_own(adapter: Stripe, standin: Payments) -> None:
    who = await bought(adapter, standin)
    page = await adapter.portal(who, return_url=BACK)
    assert page.startswith(f"{standin.ledger.url}/portal/")


async def test_another_key_is_refused(standin: Payments) -> None:
    other = standin.settings.model_copy(update={"secret_key": SecretStr("sk_test_other")})
    async with Stripe(other, ssl.create_default_context()) as adapter:
        with pytest.raises(ProviderRefusedError):
            await customer(adapter)
    assert standin.ledger.customers == {}


async def test_no_answer_is_an_outage(standin: Payments) -> None:
    nobody = standin.settings.model_copy(update={"api_url": AnyHttpUrl("http://127.0.0.1:9")})
    async with Stripe(nobody, ssl.create_default_context()) as adapter:
        with pytest.raises(ProviderUnavailableError):
            await customer(adapter)


def test_the_key_is_sent_encrypted() -> None:
    with pytest.raises(ValidationError, match="must be https"):
        BillingSettings.model_validate(
            {"api_url": "http://stripe.example", "secret_key": KEY, "webhook_secret": WEBHOOK_SECRET}
        )


def test_forms_lead_to_the_pages_of_the_provider_wherever_these_are() -> None:
    known = {"secret_key": KEY, "webhook_secret": WEBHOOK_SECRET}
    api = {"api_url": "https://payments.example:12112"}
    for chosen, pages in (
        ({}, "https://checkout.stripe.com https://billing.stripe.com"),
        (api, "https://payments.example:12112"),
        (api | {"pages_url": "https://pay.example"}, "https://pay.example"),
    ):
        assert BillingSettings.model_validate(known | chosen).pages == pages
    with pytest.raises(ValidationError, match="must be https"):
        BillingSettings.model_validate(known | {"pages_url": "http://pay.example"})


def signed(body: bytes, secret: str = WEBHOOK_SECRET) -> str:
    return signature(secret, body, int(NOW.timestamp()))


async def test_messages_of_the_stand_in_are_understood(adapter: Stripe, standin: Payments) -> None:
    who = await bought(adapter, standin)
    standin.ledger.advance(32 * DAY)
    assert len(standin.ledger.events) >= 8
    for event in standin.ledger.events:
        body = json.dumps(event).encode()
        assert adapter.event(signed(body), body, NOW) == Event(id=event["id"], customer=who)


async def test_forged_late_and_broken_messages_are_refused(adapter: Stripe) -> None:
    body = b'{"id": "evt_1", "data": {"object": {"object": "customer", "id": "cus_1"}}}'
    assert adapter.event(signed(body), body, NOW).customer == "cus_1"
    for header, sent, at in (
        (signed(body, "whsec_other"), body, NOW),
        (signed(body), body.replace(b"cus_1", b"cus_2"), NOW),
        (signed(body), body, NOW + timedelta(minutes=6)),
        ("", body, NOW),
    ):
        with pytest.raises(SignatureError):
            adapter.event(header, sent, at)
    for broken in (b"", b"[]", b"{}", b'{"id": 1}', b"\xff"):
        with pytest.raises(MalformedError):
            adapter.event(signed(broken), broken, NOW)


NAMES = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=5)
TREES = st.dictionaries(
    NAMES,
    st.recursive(
        st.text(min_size=1, max_size=5),
        lambda some: st.dictionaries(NAMES, some, min_size=1, max_size=3),
        max_leaves=8,
    ),
    max_size=3,
)


@given(TREES)
def test_nested_fields_arrive_as_they_were(fields: dict[str, object]) -> None:
    assert nested(urlencode(list(flat(fields)))) == fields


@given(st.integers(1_700_000_000, 2_200_000_000), st.sampled_from(["month", "year"]))
def test_a_period_of_the_stand_in_ends_on_a_day_that_there_is(start: int, interval: str) -> None:
    begin, end = (datetime.fromtimestamp(second, UTC) for second in (start, after(start, interval)))
    assert (end.time(), end.day) == (begin.time(), min(begin.day, end.day))
    assert timedelta(days=28) <= end - begin <= timedelta(days=366)
