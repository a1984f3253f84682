"""The pages of the stand-in: paying, managing a subscription, an invoice. Each says that no money moves."""

from datetime import UTC, datetime
from html import escape
from typing import Final

from vivero_dev.payments.objects import CARDS, PROMOTIONS, Object

CONTENT_SECURITY_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
# No form-action: a form of these pages leads back to the shop, by a redirect.

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 34rem; padding: 1.5rem 1rem 4rem }}
a {{ color: inherit }} h1 {{ font-size: 1.5rem; margin: 1.5rem 0 .5rem; overflow-wrap: anywhere }} h2 {{ font-size: 1.1rem; margin-top: 2rem }}
.note {{ border: 1px solid; border-radius: .5rem; padding: .5rem .75rem; font-size: .9rem }}
[role=alert] {{ border-left: 4px solid #dc2626; padding: .25rem .75rem; margin: 1rem 0 }}
fieldset {{ border: 0; padding: 0; margin: 1rem 0 }} label {{ display: flex; gap: .6rem; padding: .7rem 0; min-height: 1.5rem }}
button {{ font: inherit; font-weight: 600; min-height: 2.75rem; padding: 0 1rem; border-radius: .5rem; border: 1px solid }}
input:not([type]) {{ font: inherit; min-height: 2.75rem; padding: 0 .75rem; width: 100%; box-sizing: border-box; border-radius: .5rem; border: 1px solid }}
li {{ margin: .75rem 0; overflow-wrap: anywhere }}
</style></head><body><main><p class="note">Stand-in of Stripe: no money moves.</p>{body}</main></body></html>
"""


def _page(title: str, body: str, problem: str = "") -> str:
    told = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    return _PAGE.format(title=escape(title), body=f"<h1>{escape(title)}</h1>{told}{body}")


def money(cents: int, currency: str) -> str:
    return f"{currency.upper()} {cents / 100:,.2f}"


def _day(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d}"


def _cards() -> str:
    options = "".join(
        f'<label><input type="radio" name="card" value="{name}"{" checked" if name == "pays" else ""}> {escape(words)}</label>'
        for name, words in CARDS.items()
    )
    return f"<fieldset><legend>Card</legend>{options}</fieldset>"


def _text(name: str, label: str) -> str:
    return f'<p><label for="{name}">{label}</label><input id="{name}" name="{name}" maxlength="40"></p>'


def pay(session: Object, problem: str = "") -> str:
    price, item = money(session["amount_total"], session["currency"]), session["price_data"]
    body = (
        f"<p>{price} every {escape(item['recurring']['interval'])}</p>"
        f'<form method="post">{_cards()}{_text("tax_id", "VAT id of your company (optional)")}'
        f"{_text('code', f'Promotion code (optional), such as {next(iter(PROMOTIONS))}')}<button>Subscribe</button></form>"
        f'<p><a href="{escape(session["cancel_url"])}">Back</a></p>'
    )
    return _page(item["product_data"]["name"], body, problem)


def invoice(owed: Object, problem: str = "") -> str:
    facts = f"<p>{money(owed['total'], owed['currency'])}, {escape(owed['status'])}</p>"
    form = f'<form method="post">{_cards()}<button>Pay</button></form>' if owed["status"] == "open" else ""
    return _page(f"Invoice {owed['number']}", facts + form, problem)


def portal(opened: Object, subscriptions: list[Object], invoices: list[Object], problem: str = "") -> str:
    owed = "".join(
        f'<li><a href="{escape(one["hosted_invoice_url"])}">{escape(one["number"])}</a>'
        f" {money(one['total'], one['currency'])}, {escape(one['status'])}</li>"
        for one in invoices
    )
    body = (
        "".join(_subscription(one) for one in subscriptions)
        + f'<h2>Payment method</h2><form method="post">{_cards()}<button name="do" value="card">Use this card</button></form>'
        + f"<h2>Invoices</h2><ul>{owed}</ul>"
        + f'<p><a href="{escape(opened["return_url"])}">Back</a></p>'
    )
    return _page("Your subscription", body, problem)


def _subscription(one: Object) -> str:
    ends = _day(one["items"]["data"][0]["current_period_end"])
    form = ""
    if one["status"] != "canceled":
        word, do = ("Do not cancel", "resume") if one["cancel_at_period_end"] else ("Cancel", "cancel")
        form = (
            f'<form method="post"><input type="hidden" name="subscription" value="{escape(one["id"])}">'
            f'<button name="do" value="{do}">{word}</button></form>'
        )
    said = f"ends on {ends}" if one["cancel_at_period_end"] else f"{escape(one['status'])}, this period until {ends}"
    return f"<h2>{escape(one['title'])}</h2><p>{said}</p>{form}"


def nothing(problem: str) -> str:
    return _page("Nothing here", "", problem)
