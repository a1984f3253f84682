"""The objects of the stand-in, as Stripe's API writes them (version 2025-03-31.basil), and its calendar."""

import calendar
import re
from datetime import UTC, datetime
from typing import Any, Final

Object = dict[str, Any]

CARDS: Final = {
    "pays": "Visa …4242 that pays",
    "fails-later": "Visa …0341 that pays now and fails at renewals",
    "declined": "Visa …0002 that is declined",
}
"""Stripe's own test cards, by what they do."""
PROMOTIONS: Final = {"WELCOME20": 20, "HALF": 50}
"""Codes, and how many percent of the first invoice each takes away."""
ANY_TAX_ID: Final = re.compile(r"[A-Z0-9][A-Z0-9 ./-]{3,29}")
TAX_ID_FORMS: Final = {
    "eu_vat": re.compile(r"[A-Z]{2}[A-Z0-9]{2,12}"),
    "gb_vat": re.compile(r"GB[0-9]{9}([0-9]{3})?"),
    "us_ein": re.compile(r"[0-9]{2}-?[0-9]{7}"),
}
RETRY_DAYS: Final = (3, 5, 7)
"""After a renewal failed: days until each further attempt. The last one that fails makes the subscription unpaid."""


def after(start: int, interval: str, before: int | None = None) -> int:
    """One month or year later; the last day of a shorter month stands for a later day.

    `before` is the beginning of the period that ends at `start`: one of the two is on the day of the first period.
    """
    at = datetime.fromtimestamp(start, UTC)
    wanted = max(at.day, datetime.fromtimestamp(start if before is None else before, UTC).day)
    months = at.month - 1 + (12 if interval == "year" else 1)
    year, month = at.year + months // 12, months % 12 + 1
    day = min(wanted, calendar.monthrange(year, month)[1])
    return int(at.replace(year=year, month=month, day=day).timestamp())


def customer(name: str, fields: Object, now: int) -> Object:
    return {
        "id": name,
        "object": "customer",
        "created": now,
        "email": fields.get("email"),
        "name": fields.get("name"),
        "metadata": fields.get("metadata", {}),
        "card": None,
    }


def tax_id(name: str, of: str, fields: Object) -> Object:
    """Looked up in the register of the Union alone, at once, and always found there."""
    state = {"status": "verified"} if fields["type"] == "eu_vat" else None
    return {
        "id": name,
        "object": "tax_id",
        "customer": of,
        "type": fields["type"],
        "value": fields["value"],
        "verification": state,
    }


def session(name: str, fields: Object, url: str, now: int) -> Object:
    item = fields["line_items"]["0"]["price_data"]
    return {
        "id": name,
        "object": "checkout.session",
        "created": now,
        "expires_at": now + 24 * 3600,
        "customer": fields["customer"],
        "status": "open",
        "url": url,
        "success_url": fields["success_url"],
        "cancel_url": fields["cancel_url"],
        "client_reference_id": fields.get("client_reference_id"),
        "metadata": fields.get("metadata", {}),
        "amount_total": int(item["unit_amount"]),
        "currency": item["currency"],
        "price_data": item,
        "allow_promotion_codes": fields.get("allow_promotion_codes") == "true",
        "subscription_metadata": fields.get("subscription_data", {}).get("metadata", {}),
        "subscription": None,
    }


def subscription(name: str, of: Object, now: int) -> Object:
    interval = of["price_data"]["recurring"]["interval"]
    item = {
        "id": f"si_{name}",
        "object": "subscription_item",
        "price": {
            "unit_amount": of["amount_total"],
            "recurring": {"interval": interval},
            "product": f"prod_{name}",
        },
        "quantity": 1,
        "current_period_start": now,
        "current_period_end": after(now, interval),
    }
    return {
        "id": name,
        "object": "subscription",
        "customer": of["customer"],
        "status": "active",
        "currency": of["currency"],
        "created": now,
        "metadata": of["subscription_metadata"],
        "cancel_at_period_end": False,
        "cancel_at": None,
        "pause_collection": None,
        "items": {"object": "list", "data": [item]},
        "title": of["price_data"]["product_data"]["name"],
        "first_title": of["price_data"]["product_data"]["name"],
        "retries": 0,
        "retry_at": None,
    }


def invoice(  # noqa: PLR0913, PLR0917  what it says
    name: str, number: int, of: Object, reason: str, now: int, lines: list[Object] | None = None
) -> Object:
    """For the period that the subscription is in, or for these lines; open."""
    item = of["items"]["data"][0]
    whole = {
        "description": of["title"],
        "amount": item["price"]["unit_amount"],
        "period": {"start": item["current_period_start"], "end": item["current_period_end"]},
    }
    lines = lines or [whole]
    return {
        "id": name,
        "object": "invoice",
        "number": f"STANDIN-{number:04}",
        "customer": of["customer"],
        "status": "open",
        "billing_reason": reason,
        "total": sum(line["amount"] for line in lines),
        "amount_paid": 0,
        "currency": of["currency"],
        "created": now,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "parent": {"type": "subscription_details", "subscription_details": {"subscription": of["id"]}},
        "lines": {"object": "list", "data": lines},
    }
