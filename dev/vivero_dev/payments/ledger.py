"""The state of the stand-in: customers, checkouts, subscriptions, invoices and events, on a clock of its own."""

import copy
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from vivero_dev.payments import objects
from vivero_dev.payments.objects import RETRY_DAYS, Object
from vivero_dev.payments.proration import change_lines, first_lines, restart_line

DAY: Final = 24 * 3600
KINDS: Final = ("customers", "sessions", "subscriptions", "invoices", "portals", "products")


class RefusedError(Exception):
    """Answered as Stripe does: a status, a code for programs, and a sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Ledger:
    """One at a time: a lock is held in every call. `told` is called with each event."""

    def __init__(self, url: str, told: Callable[[Object], None] = lambda _: None) -> None:
        self.url = url
        self.told = told
        self.ahead = 0
        self.lock = threading.RLock()
        self.events: list[Object] = []
        self.customers: dict[str, Object] = {}
        self.sessions: dict[str, Object] = {}
        self.subscriptions: dict[str, Object] = {}
        self.invoices: dict[str, Object] = {}
        self.portals: dict[str, Object] = {}
        self.products: dict[str, Object] = {}
        self._done: dict[str, tuple[str, Object]] = {}

    def now(self) -> int:
        return int(time.time()) + self.ahead

    def state(self) -> Object:
        """All that makes the next answer, as JSON has it; events are not among it, for they were told."""
        return {"ahead": self.ahead, "done": self._done} | {kind: getattr(self, kind) for kind in KINDS}

    def restore(self, state: Object) -> None:
        """What `state` gave, perhaps of an older program, which did not have every kind."""
        with self.lock:
            self.ahead = state["ahead"]
            self._done = {key: (asked, answer) for key, (asked, answer) in state["done"].items()}
            for kind in KINDS:
                setattr(self, kind, state.get(kind, {}))

    def once(self, key: str, request: str, do: Callable[[], Object]) -> Object:
        """What was answered to this idempotency key before, else the answer of `do`."""
        with self.lock:
            if not key:
                return do()
            if key not in self._done:
                self._done[key] = (request, do())
            asked, answer = self._done[key]
            if asked != request:
                raise RefusedError(400, "idempotency_key_in_use", "The key was used with other parameters.")
            return copy.deepcopy(answer)

    def create_customer(self, fields: Object) -> Object:
        made = objects.customer(_name("cus"), fields, self.now())
        return self._keep(self.customers, made, "customer.created")

    def create_session(self, fields: Object) -> Object:
        self.find(self.customers, fields["customer"])
        name = _name("cs")
        made = objects.session(name, fields, f"{self.url}/pay/{name}", self.now())
        self.sessions[name] = made
        return copy.deepcopy(made)

    def create_portal(self, fields: Object) -> Object:
        self.find(self.customers, fields["customer"])
        name = _name("bps")
        made = {"id": name, "url": f"{self.url}/portal/{name}", **fields}
        self.portals[name] = made
        return made

    def expire(self, name: str) -> Object:
        found = self.open_session(name)
        found["status"] = "expired"
        return self._changed(found, "checkout.session.expired")

    def open_session(self, name: str) -> Object:
        """One that can be paid."""
        found = self.find(self.sessions, name)
        if found["status"] == "open" and found["expires_at"] <= self.now():
            found["status"] = "expired"
        if found["status"] != "open":
            raise RefusedError(400, "resource_invalid_state", f"This checkout is {found['status']}.")
        return found

    def listed(self, kind: dict[str, Object], customer: str) -> list[Object]:
        """The newest first; of all customers where none is named."""
        if customer:
            self.find(self.customers, customer)
        return [one for one in reversed(kind.values()) if customer in ("", one["customer"])]

    def find(self, kind: dict[str, Object], name: str) -> Object:
        if name not in kind:
            raise RefusedError(404, "resource_missing", f"No such object: {name}")
        return kind[name]

    def pay_session(self, name: str, card: str, code: str = "", tax_id: str = "") -> Object:
        """The first payment: a subscription and its first invoice, or a card that is declined."""
        with self.lock:
            found = self.open_session(name)
            percent = self._percent(found, code)
            if tax_id:
                self.add_tax_id(found["customer"], {"type": "eu_vat", "value": tax_id})
            self._use(found["customer"], card)
            made = objects.subscription(_name("sub"), found, self.now())
            found["status"], found["subscription"] = "complete", made["id"]
            self._keep(self.subscriptions, made, "customer.subscription.created")
            self._settle(self._bill(made, "subscription_create", first_lines(made, code, percent)), paid=True)
            self._changed(found, "checkout.session.completed")
            return found

    @staticmethod
    def _percent(of: Object, code: str) -> int:
        if not code:
            return 0
        if not of["allow_promotion_codes"] or code not in objects.PROMOTIONS:
            raise RefusedError(402, "promotion_code_invalid", "This code is not valid. Nothing was charged.")
        return objects.PROMOTIONS[code]

    def pay_invoice(self, name: str, card: str) -> None:
        """An open invoice, by its customer."""
        with self.lock:
            found = self.find(self.invoices, name)
            if found["status"] != "open":
                raise RefusedError(400, "invoice_not_open", f"This invoice is {found['status']}.")
            self._use(found["customer"], card)
            self._settle(found, paid=True)

    def use_card(self, customer: str, card: str) -> None:
        with self.lock:
            self._use(customer, card)

    def add_tax_id(self, customer: str, fields: Object) -> Object:
        """Refused when it has not the form of its kind; of most kinds the stand-in knows none."""
        if not objects.TAX_ID_FORMS.get(fields["type"], objects.ANY_TAX_ID).fullmatch(fields["value"]):
            raise RefusedError(400, "tax_id_invalid", "Invalid value for this type of tax id.")
        made = objects.tax_id(_name("txi"), customer, fields)
        with self.lock:
            self.find(self.customers, customer).setdefault("tax_ids", []).insert(0, made)
        return made

    def tax_ids(self, customer: str) -> list[Object]:
        """The newest first; a customer that an older program has kept has none."""
        found: list[Object] = self.find(self.customers, customer).get("tax_ids", [])
        return found

    def remove_tax_id(self, customer: str, name: str) -> Object:
        with self.lock:
            kept = [one for one in self.tax_ids(customer) if one["id"] != name]
            if len(kept) == len(self.tax_ids(customer)):
                raise RefusedError(404, "resource_missing", "There is no such tax id.")
            self.customers[customer]["tax_ids"] = kept
        return {"id": name, "object": "tax_id", "deleted": True}

    def create_product(self, fields: Object) -> Object:
        if fields["id"] in self.products:
            raise RefusedError(400, "resource_already_exists", "Product already exists.")
        self.products[fields["id"]] = {"object": "product", **fields}
        return self.products[fields["id"]]

    def preview(self, fields: Object) -> Object:
        """The invoice that a change would make; nothing is kept."""
        with self.lock:
            of, change = self.find(self.subscriptions, fields["subscription"]), fields["subscription_details"]
            if change.get("billing_cycle_anchor") == "now":
                lines = [restart_line(of, self.now())]
            else:
                lines = change_lines(of, self._price(of, change), self._reckoned(of, change))
            return {"object": "invoice", "total": sum(line["amount"] for line in lines), "lines": {"data": lines}}

    def update_subscription(self, name: str, fields: Object) -> Object:
        """Another price, at once or with the next period; another end; other metadata. All of it or nothing."""
        with self.lock:
            of = self._living(name)
            if "items" in fields:
                self._change_price(of, fields)
            if fields.get("billing_cycle_anchor") == "now":
                self._restart(of)
            if "pause_collection" in fields:
                of["pause_collection"] = fields["pause_collection"] or None
            if "cancel_at_period_end" in fields:
                of["cancel_at_period_end"] = fields["cancel_at_period_end"] == "true"
                of["cancellation_details"] = fields.get("cancellation_details", {})
            changed = of["metadata"] | fields.get("metadata", {})
            of["metadata"] = {key: value for key, value in changed.items() if value}
            return self._changed(of, "customer.subscription.updated")

    def _change_price(self, of: Object, fields: Object) -> None:
        item, price = of["items"]["data"][0], self._price(of, fields)
        if fields["proration_behavior"] == "none":
            if price["recurring"]["interval"] != item["price"]["recurring"]["interval"]:
                raise RefusedError(400, "parameter_invalid", "Another interval is billed at once.")
            lines = []
        else:
            if self._card(of) != "pays":
                raise RefusedError(402, "card_declined", "The card was declined. Nothing was changed.")
            lines = change_lines(of, price, self._reckoned(of, fields))
        item["price"], of["title"] = price, price["name"]
        if lines:
            period = lines[-1]["period"]
            if period["end"] != item["current_period_end"]:
                item["current_period_start"], item["current_period_end"] = period["start"], period["end"]
            self._settle(self._bill(of, "subscription_update", lines), paid=True)

    def _restart(self, of: Object) -> None:
        """A whole period that begins now, and is paid for."""
        if self._card(of) != "pays":
            raise RefusedError(402, "card_declined", "The card was declined. Nothing was changed.")
        line, item = restart_line(of, self.now()), of["items"]["data"][0]
        item["current_period_start"], item["current_period_end"] = line["period"]["start"], line["period"]["end"]
        self._settle(self._bill(of, "subscription_update", [line]), paid=True)

    def _price(self, of: Object, fields: Object) -> Object:
        asked = fields["items"]["0"]
        if asked["id"] != of["items"]["data"][0]["id"]:
            raise RefusedError(404, "resource_missing", "There is no such item.")
        data = asked["price_data"]
        product = self.products.get(data["product"])
        if product is None and data["product"] != f"prod_{of['id']}":
            raise RefusedError(404, "resource_missing", "There is no such product.")
        return {
            "unit_amount": int(data["unit_amount"]),
            "recurring": {"interval": data["recurring"]["interval"]},
            "product": data["product"],
            "name": product["name"] if product else of["first_title"],
        }

    @staticmethod
    def _reckoned(of: Object, fields: Object) -> int:
        item, at = of["items"]["data"][0], int(fields["proration_date"])
        if not item["current_period_start"] <= at < item["current_period_end"]:
            raise RefusedError(400, "parameter_invalid", "The proration date is outside the period.")
        return at

    def _living(self, name: str) -> Object:
        found = self.find(self.subscriptions, name)
        if found["status"] == "canceled":
            raise RefusedError(400, "resource_missing", "This subscription has ended.")
        return found

    def cancel_with_period(self, name: str, *, ends: bool) -> None:
        """Canceled at the end of the period, or not any more."""
        with self.lock:
            found = self._living(name)
            found["cancel_at_period_end"] = ends
            self._changed(found, "customer.subscription.updated")

    def advance(self, seconds: int) -> None:
        """Move the clock, a day at a time at most, and do what is due on the way."""
        with self.lock:
            for step in [DAY] * (seconds // DAY) + [seconds % DAY]:
                self.ahead += step
                for one in list(self.subscriptions.values()):
                    self._due(one)

    def _due(self, of: Object) -> None:
        now = self.now()
        if of["retry_at"] is not None and of["retry_at"] <= now:
            self._retry(of)
        item = of["items"]["data"][0]
        while of["status"] == "active" and item["current_period_end"] <= now:
            if of["cancel_at_period_end"]:
                of["status"] = "canceled"
                self._changed(of, "customer.subscription.deleted")
                return
            start = item["current_period_end"]
            end = objects.after(start, item["price"]["recurring"]["interval"], item["current_period_start"])
            item["current_period_start"], item["current_period_end"] = start, end
            made = self._bill(of, "subscription_cycle")
            if _collects(of, start):
                self._settle(made, paid=self._card(of) == "pays")
            else:
                self._void(made)
        if of.get("pause_collection") and _collects(of, now):
            of["pause_collection"] = None
            self._changed(of, "customer.subscription.updated")

    def _void(self, made: Object) -> None:
        """Of a period in which nothing is collected."""
        made["status"] = "void"
        self._changed(made, "invoice.voided")

    def _retry(self, of: Object) -> None:
        owed = next(one for one in self.listed(self.invoices, of["customer"]) if one["status"] == "open")
        self._settle(owed, paid=self._card(of) == "pays")

    def _settle(self, owed: Object, *, paid: bool) -> None:
        """An attempt to pay an invoice, and what it makes of the subscription."""
        of = self.subscriptions[owed["parent"]["subscription_details"]["subscription"]]
        if paid:
            owed["status"], owed["amount_paid"] = "paid", owed["total"]
            of["retries"], of["retry_at"] = 0, None
            self._turn(of, "active")
            self._changed(owed, "invoice.paid")
            return
        self._changed(owed, "invoice.payment_failed")
        if of["retries"] < len(RETRY_DAYS):
            of["retry_at"] = self.now() + RETRY_DAYS[of["retries"]] * DAY
            of["retries"] += 1
            self._turn(of, "past_due")
        else:
            of["retry_at"] = None
            self._turn(of, "unpaid")

    def _turn(self, of: Object, status: str) -> None:
        of["status"] = status
        self._changed(of, "customer.subscription.updated")

    def _bill(self, of: Object, reason: str, lines: list[Object] | None = None) -> Object:
        name = _name("in")
        made = objects.invoice(name, len(self.invoices) + 1, of, reason, self.now(), lines)
        made["hosted_invoice_url"] = f"{self.url}/invoice/{name}"
        self._keep(self.invoices, made, "invoice.finalized")
        return made

    def _use(self, customer: str, card: str) -> None:
        if card == "declined" or card not in objects.CARDS:
            raise RefusedError(402, "card_declined", "The card was declined. Nothing was charged.")
        self.find(self.customers, customer)["card"] = card

    def _card(self, of: Object) -> Any:  # noqa: ANN401  a value of JSON
        return self.customers[of["customer"]]["card"]

    def _keep(self, kind: dict[str, Object], made: Object, event: str) -> Object:
        kind[made["id"]] = made
        return self._changed(made, event)

    def _changed(self, about: Object, kind: str) -> Object:
        event = {
            "id": _name("evt"),
            "object": "event",
            "type": kind,
            "created": self.now(),
            "data": {"object": copy.deepcopy(about)},
        }
        self.events.append(event)
        self.told(event)
        return copy.deepcopy(about)


def _collects(of: Object, moment: int) -> bool:
    paused = of.get("pause_collection")  # a subscription that an older program has kept has none
    return not paused or int(paused["resumes_at"]) <= moment


def _name(prefix: str) -> str:
    return f"{prefix}_standin_{secrets.token_hex(12)}"
