"""The payment provider Stripe, over its HTTP API in one version of it."""

import logging
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

import aiohttp
import msgspec
from msgspec import Struct
from vivero_core.backends.connections import Connector
from vivero_web.errors import MalformedError

from vivero_control.domain.billing import signatures
from vivero_control.domain.billing.errors import ProviderRefusedError, ProviderUnavailableError
from vivero_control.domain.billing.provider import Checkout, Cost, CostLine, Event, Offer, TaxId
from vivero_control.domain.billing.schemas import (
    Account,
    Interval,
    Invoice,
    InvoiceKind,
    InvoiceStatus,
    Subscription,
    SubscriptionStatus,
)
from vivero_control.settings import BillingSettings

API_VERSION: Final = "2025-03-31.basil"
SECONDS: Final = 8.0
"""For one call."""
PAGE: Final = 100
MOST_PAGES: Final = 50
"""Of one list; more than a customer has in decades."""
_IS_THERE: Final = "resource_already_exists"
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500
_REFUSED: Final = 400

logger = logging.getLogger(__name__)


class _Recurring(Struct, frozen=True):
    interval: Interval


class _Price(Struct, frozen=True):
    unit_amount: int
    recurring: _Recurring
    product: str = ""


class _Item(Struct, frozen=True):
    price: _Price
    current_period_start: int
    current_period_end: int
    id: str = ""


class _Items(Struct, frozen=True):
    data: tuple[_Item, ...]


class _Subscription(Struct, frozen=True):
    id: str
    status: SubscriptionStatus
    currency: str
    created: int
    items: _Items
    metadata: dict[str, str]
    cancel_at_period_end: bool = False
    cancel_at: int | None = None


class _Period(Struct, frozen=True):
    start: int
    end: int


class _Line(Struct, frozen=True):
    period: _Period


class _Lines(Struct, frozen=True):
    data: tuple[_Line, ...]


class _Details(Struct, frozen=True):
    subscription: str


class _Parent(Struct, frozen=True):
    subscription_details: _Details | None = None


class _Invoice(Struct, frozen=True):
    id: str
    status: InvoiceStatus
    total: int
    amount_paid: int
    currency: str
    created: int
    lines: _Lines
    billing_reason: str | None = None
    number: str | None = None
    parent: _Parent | None = None
    hosted_invoice_url: str | None = None
    invoice_pdf: str | None = None


class _CostLine(Struct, frozen=True):
    amount: int
    description: str | None = None


class _CostLines(Struct, frozen=True):
    data: tuple[_CostLine, ...]


class _Cost(Struct, frozen=True):
    total: int
    lines: _CostLines


class _Verification(Struct, frozen=True):
    status: str | None = None


class _TaxId(Struct, frozen=True):
    id: str
    type: str
    value: str
    verification: _Verification | None = None

    @property
    def state(self) -> str:
        return (self.verification.status or "") if self.verification else ""


class _Page(Struct, frozen=True):
    data: list[dict[str, Any]]
    has_more: bool = False


class _Made(Struct, frozen=True):
    id: str
    url: str = ""
    expires_at: int = 0


class _About(Struct, frozen=True):
    object: str = ""
    id: str = ""
    customer: str | None = None


class _Data(Struct, frozen=True):
    object: _About


class _Event(Struct, frozen=True):
    id: str
    data: _Data


_TAX: Final = {
    "tax_id_collection": {"enabled": "true"},
    "billing_address_collection": "required",
    "customer_update": {"name": "auto", "address": "auto"},
}
"""A company names itself, its address and its tax id; what is typed is kept with the customer and stands on invoices."""
_KINDS: Final = {
    "subscription_create": InvoiceKind.FIRST,
    "subscription_cycle": InvoiceKind.RENEWAL,
    "subscription_update": InvoiceKind.CHANGE,
}


class Stripe:
    """An async context manager; it connects with its first call."""

    def __init__(self, settings: BillingSettings, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._url = str(settings.api_url).rstrip("/")
        self._secret = settings.secret_key
        self._webhook_secret = settings.webhook_secret
        self._session: aiohttp.ClientSession | None = None
        self._products: set[str] = set()
        """Those that are known to be there."""

    async def __aenter__(self) -> Self:
        headers = {"Authorization": f"Bearer {self._secret.get_secret_value()}", "Stripe-Version": API_VERSION}
        timeout, connector = aiohttp.ClientTimeout(total=SECONDS), Connector(ssl=self._tls)
        self._session = aiohttp.ClientSession(headers=headers, timeout=timeout, connector=connector)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def create_customer(self, key: UUID, *, email: str, name: str, tenant_uid: str) -> str:
        fields = {"email": email, "name": name, "metadata": {"tenant_uid": tenant_uid}}
        return (await self._post("customers", fields, key)).id

    async def start_checkout(self, key: UUID, *, customer: str, offer: Offer, return_url: str) -> Checkout:
        about = {"tenant_uid": offer.tenant_uid, "plan": offer.plan}
        price = {
            "currency": offer.currency.lower(),
            "unit_amount": offer.amount_cents,
            "recurring": {"interval": str(offer.interval)},
            "product_data": {"name": offer.title},
        }
        fields = {
            "mode": "subscription",
            "customer": customer,
            "client_reference_id": str(key),
            "line_items": {"0": {"quantity": 1, "price_data": price}},
            "metadata": about,
            "allow_promotion_codes": "true",
            **_TAX,
            "subscription_data": {"metadata": about},
            "success_url": f"{return_url}?paid=true",
            "cancel_url": f"{return_url}?paid=false",
        }
        made = await self._post("checkout/sessions", fields, key)
        return Checkout(id=made.id, url=made.url, expires_at=_moment(made.expires_at))

    async def expire_checkout(self, checkout_id: str) -> None:
        try:
            await self._post(f"checkout/sessions/{checkout_id}/expire", {})
        except ProviderRefusedError:
            logger.info("a checkout was paid or had expired before it was closed")

    async def portal(self, customer: str, *, return_url: str) -> str:
        return (await self._post("billing_portal/sessions", {"customer": customer, "return_url": return_url})).url

    async def preview_change(self, customer: str, subscription: str, offer: Offer, at: datetime) -> Cost:
        item = _only_item(await self._subscription(subscription))
        change = {"items": _items(item.id, offer, await self._product(offer)), **_prorated(at)}
        return await self._preview(customer, subscription, change)

    async def change_now(self, key: UUID, subscription: str, offer: Offer, at: datetime) -> None:
        item = _only_item(await self._subscription(subscription))
        fields = {
            "items": _items(item.id, offer, await self._product(offer)),
            "payment_behavior": "error_if_incomplete",
            "metadata": {"plan": offer.plan, **_NOTHING_PLANNED},
            **_prorated(at),
        }
        await self._post(f"subscriptions/{subscription}", fields, key)

    async def change_with_period(self, subscription: str, offer: Offer) -> None:
        """The price changes now, and is charged with the next period; the metadata says from when on the plan holds."""
        found = await self._subscription(subscription)
        item = _only_item(found)
        planned = {
            "plan": _plan(found)[0],
            "next_plan": offer.plan,
            "next_from": item.current_period_end,
            "kept_product": item.price.product,
            "kept_amount": item.price.unit_amount,
        }
        fields = {"items": _items(item.id, offer, await self._product(offer)), "metadata": planned, **_UNPRORATED}
        await self._post(f"subscriptions/{subscription}", fields)

    async def keep_plan(self, subscription: str) -> None:
        found = await self._subscription(subscription)
        if _plan(found)[1] is None:
            return
        item, kept = _only_item(found), found.metadata
        items = _priced(
            item.id, kept["kept_product"], found.currency, kept["kept_amount"], item.price.recurring.interval
        )
        fields = {"items": items, "metadata": _NOTHING_PLANNED, **_UNPRORATED}
        await self._post(f"subscriptions/{subscription}", fields)

    async def end_with_period(self, subscription: str, *, ends: bool, reason: str = "", comment: str = "") -> None:
        told = {name: value for name, value in (("feedback", reason), ("comment", comment)) if value}
        fields = {"cancel_at_period_end": str(ends).lower()} | ({"cancellation_details": told} if told else {})
        await self._post(f"subscriptions/{subscription}", fields)

    async def pause(self, subscription: str, start: datetime, end: datetime) -> None:
        """The metadata says which periods are paused; collection is off until shortly before the first that is not."""
        collects_at = int((end - _COLLECTS_BEFORE).timestamp())
        fields = {
            "pause_collection": {"behavior": "void", "resumes_at": collects_at},
            "metadata": {"paused_from": int(start.timestamp()), "paused_until": int(end.timestamp())},
        }
        await self._post(f"subscriptions/{subscription}", fields)

    async def preview_restart(self, customer: str, subscription: str) -> Cost:
        return await self._preview(customer, subscription, _RESTARTED)

    async def restart_now(self, key: UUID, subscription: str) -> None:
        fields = {**_NOT_PAUSED, **_RESTARTED, "payment_behavior": "error_if_incomplete"}
        await self._post(f"subscriptions/{subscription}", fields, key)

    async def take_pause_back(self, subscription: str) -> None:
        await self._post(f"subscriptions/{subscription}", _NOT_PAUSED)

    async def _preview(self, customer: str, subscription: str, change: Mapping[str, object]) -> Cost:
        fields = {"customer": customer, "subscription": subscription, "subscription_details": change}
        said = await self._call("POST", "invoices/create_preview", data=dict(flat(fields)))
        cost: _Cost = _read(said, _Cost)
        lines = (CostLine(one.description or "", one.amount) for one in cost.lines.data)
        return Cost(cost.total, tuple(lines))

    async def _subscription(self, name: str) -> _Subscription:
        found: _Subscription = _read(await self._call("GET", f"subscriptions/{name}"), _Subscription)
        return found

    async def _product(self, offer: Offer) -> str:
        """What a price that is no checkout's has to name: one for each plan, made when it is first wanted."""
        name = f"vivero_{offer.plan}"
        if name not in self._products:
            try:
                await self._post("products", {"id": name, "name": offer.title})
            except ProviderRefusedError as error:
                if error.code != _IS_THERE:
                    raise
            self._products.add(name)
        return name

    async def tax_ids(self, customer: str) -> tuple[TaxId, ...]:
        found = [_read(one, _TaxId) async for one in self._list(f"customers/{customer}/tax_ids", {})]
        return tuple(TaxId(one.id, one.type, one.value, one.state) for one in found)

    async def add_tax_id(self, customer: str, kind: str, value: str) -> None:
        await self._post(f"customers/{customer}/tax_ids", {"type": kind, "value": value})

    async def remove_tax_id(self, customer: str, name: str) -> None:
        await self._call("DELETE", f"customers/{customer}/tax_ids/{name}")

    async def account(self, customer: str) -> Account:
        subscriptions = [
            subscription(one)
            async for one in self._list("subscriptions", {"customer": customer, "status": "all"})
            if "plan" in one.get("metadata", {})
        ]
        invoices = [invoice(one) async for one in self._list("invoices", {"customer": customer})]
        return Account(subscriptions=tuple(subscriptions), invoices=tuple(invoices))

    async def ping(self) -> None:
        await self._call("GET", "subscriptions", params={"limit": "1"})

    def check_header(self, header: str, now: datetime) -> None:
        signatures.signed_at(header, now)

    def event(self, header: str, body: bytes, now: datetime) -> Event:
        signatures.check(self._webhook_secret.get_secret_value(), header, body, now)
        try:
            said = msgspec.json.decode(body, type=_Event)
        except msgspec.DecodeError as error:
            raise MalformedError("The body is no event.") from error
        about = said.data.object
        return Event(id=said.id, customer=about.id if about.object == "customer" else about.customer)

    async def _list(self, what: str, wanted: Mapping[str, str]) -> AsyncIterator[dict[str, Any]]:
        """All pages, the newest first."""
        last: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            page = _read(await self._call("GET", what, params={**wanted, "limit": str(PAGE), **last}), _Page)
            for one in page.data:
                yield one
            if not page.has_more or not page.data:
                return
            last = {"starting_after": str(page.data[-1]["id"])}
        logger.error("the list of the payment provider has more pages than are read", extra={"list": what})
        raise ProviderUnavailableError

    async def _post(self, what: str, fields: Mapping[str, Any], key: UUID | None = None) -> _Made:
        headers = {"Idempotency-Key": str(key)} if key else {}
        made: _Made = _read(await self._call("POST", what, data=dict(flat(fields)), headers=headers), _Made)
        return made

    async def _call(self, method: str, what: str, **request: Any) -> Any:  # noqa: ANN401  JSON
        if self._session is None:
            raise ProviderUnavailableError
        try:
            async with self._session.request(
                method, f"{self._url}/v1/{what}", allow_redirects=False, **request
            ) as answer:
                said = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise ProviderUnavailableError from error
        if answer.status == _TOO_MANY or answer.status >= _SERVER_ERROR:
            raise ProviderUnavailableError
        if answer.status >= _REFUSED:
            raise _refusal(answer.status, what, said)
        return said


def _refusal(status: int, what: str, said: object) -> ProviderRefusedError:
    error = said.get("error", {}) if isinstance(said, dict) else {}
    code = error.get("code") or error.get("type") or ""
    level = logging.INFO if code == _IS_THERE else logging.ERROR
    logger.log(
        level, "the payment provider refused: %s", error.get("message", ""), extra={"status": status, "call": what}
    )
    return ProviderRefusedError(str(code)[:80])


def _read(said: object, kind: type[Any]) -> Any:  # noqa: ANN401  of the kind
    """What the provider said, as this; it says something else only in another version of its API."""
    try:
        return msgspec.convert(said, kind)
    except msgspec.ValidationError as error:
        logger.exception("the payment provider's answer is not as its API has it")
        raise ProviderUnavailableError from error


_NOTHING_PLANNED: Final = {"next_plan": "", "next_from": "", "kept_product": "", "kept_amount": ""}
"""An empty value takes the key away."""
_UNPRORATED: Final = {"proration_behavior": "none"}
_NOT_PAUSED: Final = {"pause_collection": "", "metadata": {"paused_from": "", "paused_until": ""}}
_RESTARTED: Final = {"billing_cycle_anchor": "now", **_UNPRORATED}
_COLLECTS_BEFORE: Final = timedelta(hours=1)
"""Invoices of paused periods are void as soon as they are made, so the last one is; the next one has to be collected,
whichever of the two the provider does first in the second of the renewal."""


def _prorated(at: datetime) -> dict[str, object]:
    return {"proration_behavior": "always_invoice", "proration_date": int(at.timestamp())}


def _items(item: str, offer: Offer, product: str) -> dict[str, object]:
    return _priced(item, product, offer.currency.lower(), offer.amount_cents, offer.interval)


def _priced(item: str, product: str, currency: str, cents: int | str, interval: Interval) -> dict[str, object]:
    price = {"currency": currency, "product": product, "unit_amount": cents, "recurring": {"interval": interval}}
    return {"0": {"id": item, "price_data": price}}


def _only_item(found: _Subscription) -> _Item:
    if len(found.items.data) != 1:
        logger.error("a subscription has %s items, and one is expected", len(found.items.data))
        raise ProviderUnavailableError
    return found.items.data[0]


def _plan(found: _Subscription) -> tuple[str, str | None]:
    """The plan of the present period, and the one that is planned for the next."""
    plan, following = found.metadata["plan"], found.metadata.get("next_plan")
    since = found.metadata.get("next_from", "")
    if not following or not since.isdecimal():
        return plan, None
    has_begun = _only_item(found).current_period_start >= int(since)
    return (following, None) if has_begun else (plan, following)


class _Pause(NamedTuple):
    """The periods that begin from one moment on and before the other are paused."""

    start: datetime
    end: datetime


def _pause(found: _Subscription) -> _Pause | None:
    """What is planned or has begun; None once it is over."""
    start, end = (found.metadata.get(name, "") for name in ("paused_from", "paused_until"))
    if found.status is SubscriptionStatus.CANCELED or not (start.isdecimal() and end.isdecimal()):
        return None
    is_over = _only_item(found).current_period_start >= int(end)
    return None if is_over else _Pause(_moment(int(start)), _moment(int(end)))


def _status(found: _Subscription, pause: _Pause | None) -> SubscriptionStatus:
    """The provider calls a paused one active: which period it is in says what it is."""
    has_begun = pause is not None and _moment(_only_item(found).current_period_start) >= pause.start
    return SubscriptionStatus.PAUSED if has_begun and found.status is SubscriptionStatus.ACTIVE else found.status


def subscription(said: object) -> Subscription:
    """As we know it."""
    found: _Subscription = _read(said, _Subscription)
    item = _only_item(found)
    plan, following = _plan(found)
    pause = _pause(found)
    return Subscription(
        id=found.id,
        status=_status(found, pause),
        plan=plan,
        next_plan=following,
        interval=item.price.recurring.interval,
        amount_cents=item.price.unit_amount,
        currency=found.currency.upper(),
        period_start=_moment(item.current_period_start),
        period_end=_moment(item.current_period_end),
        ends_with_period=found.cancel_at_period_end or found.cancel_at is not None,
        paused_from=pause.start if pause else None,
        paused_until=pause.end if pause else None,
        created_at=_moment(found.created),
    )


def invoice(said: object) -> Invoice:
    """As we know it; it is for the time of its last line, behind the credits for an earlier one."""
    found: _Invoice = _read(said, _Invoice)
    made = _Period(found.created, found.created)
    period = max((line.period for line in found.lines.data), key=lambda one: (one.start, one.end), default=made)
    details = found.parent.subscription_details if found.parent else None
    return Invoice(
        id=found.id,
        number=found.number,
        subscription=details.subscription if details else None,
        status=found.status,
        kind=_KINDS.get(found.billing_reason or "", InvoiceKind.OTHER),
        total_cents=found.total,
        paid_cents=found.amount_paid,
        currency=found.currency.upper(),
        period_start=_moment(period.start),
        period_end=_moment(period.end),
        created_at=_moment(found.created),
        page_url=found.hosted_invoice_url,
        pdf_url=found.invoice_pdf,
    )


def flat(fields: Mapping[str, Any], inside: str = "") -> Iterator[tuple[str, str]]:
    """Nested fields as a form has them: `{"a": {"b": 1}}` is `a[b]=1`."""
    for name, value in fields.items():
        key = f"{inside}[{name}]" if inside else name
        if isinstance(value, Mapping):
            yield from flat(value, key)
        else:
            yield key, str(value)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
