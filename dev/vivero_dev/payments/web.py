"""The stand-in over HTTP: Stripe's API, its pages, and what tests use to move the clock."""

import json
import re
import ssl
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlsplit

from vivero_dev.payments import pages
from vivero_dev.payments.ledger import Ledger, RefusedError
from vivero_dev.payments.objects import Object

SOCKET_SECONDS: Final = 10.0
BODY_BYTES: Final = 64 * 1024


def nested(body: str) -> Object:
    """A form's fields: `a[b]=1` is `{"a": {"b": "1"}}`."""
    made: Object = {}
    for key, value in parse_qsl(body, keep_blank_values=True):
        *path, last = re.split(r"[\[\]]+", key.rstrip("]"))
        at = made
        for part in path:
            at = at.setdefault(part, {})
        at[last] = value
    return made


class Handler(BaseHTTPRequestHandler):
    """`/v1/…` is the API, `/pay`, `/invoice` and `/portal` are pages, `/test/clock` moves the clock, `/health` answers."""

    server: "Server"
    timeout = SOCKET_SECONDS

    @property
    def ledger(self) -> Ledger:
        return self.server.ledger

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        body = self.rfile.read(min(int(self.headers.get("Content-Length", "0")), BODY_BYTES)).decode()
        self._answer(lambda: self._post(body))
        self.server.changed()

    def do_DELETE(self) -> None:
        self._answer(self._delete)
        self.server.changed()

    def _delete(self) -> None:
        match urlsplit(self.path).path.strip("/").split("/"):
            case ["v1", "customers", customer, "tax_ids", name]:
                self._authenticate()
                self._json(self.ledger.remove_tax_id(customer, name))
            case _:
                raise RefusedError(404, "resource_missing", "There is nothing here.")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it so
        """Log nothing: the addresses of pages let somebody pay."""

    def _answer(self, do: Callable[[], None]) -> None:
        is_page = not self.path.startswith(("/v1/", "/test/", "/health"))
        try:
            do()
        except RefusedError as error:
            if is_page:
                self._send(HTTPStatus(error.status), "text/html; charset=utf-8", pages.nothing(str(error)))
            else:
                self._json({"error": {"code": error.code, "message": str(error)}}, HTTPStatus(error.status))

    def _get(self) -> None:
        parts, ledger = urlsplit(self.path), self.ledger
        match parts.path.strip("/").split("/"):
            case ["v1", ("subscriptions" | "invoices") as what]:
                self._authenticate()
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                self._json(self._list(getattr(ledger, what), query))
            case ["v1", "customers", customer, "tax_ids"]:
                self._authenticate()
                self._json({"object": "list", "data": ledger.tax_ids(customer), "has_more": False})
            case ["v1", "subscriptions", name]:
                self._authenticate()
                self._json(ledger.find(ledger.subscriptions, name))
            case ["health"]:
                self._json({"subscriptions": len(ledger.subscriptions)})
            case ["pay", name]:
                self._html(pages.pay(ledger.open_session(name)))
            case ["invoice", name]:
                self._html(pages.invoice(ledger.find(ledger.invoices, name)))
            case ["portal", name]:
                self._html(self._portal(ledger.find(ledger.portals, name)))
            case _:
                raise RefusedError(404, "resource_missing", "There is nothing here.")

    def _post(self, body: str) -> None:
        ledger = self.ledger
        match urlsplit(self.path).path.strip("/").split("/"):
            case ["v1", "customers", *of]:
                self._post_customer(of, body)
            case ["v1", "products"]:
                self._make(body, ledger.create_product)
            case ["v1", "invoices", "create_preview"]:
                self._make(body, ledger.preview)
            case ["v1", "subscriptions", name]:
                self._make(body, lambda fields: ledger.update_subscription(name, fields))
            case ["v1", "checkout", "sessions"]:
                self._make(body, ledger.create_session)
            case ["v1", "billing_portal", "sessions"]:
                self._make(body, ledger.create_portal)
            case ["v1", "checkout", "sessions", name, "expire"]:
                self._make(body, lambda _: ledger.expire(name))
            case ["test", "clock"]:
                self._authenticate()
                ledger.advance(int(nested(body)["seconds"]))
                self._json({"now": ledger.now()})
            case ["pay" | "invoice" | "portal" as page, name]:
                self._page_form(page, name, nested(body))
            case _:
                raise RefusedError(404, "resource_missing", "There is nothing here.")

    def _post_customer(self, of: list[str], body: str) -> None:
        """A new one, or something of the one of this name."""
        match of:
            case []:
                self._make(body, self.ledger.create_customer)
            case [name, "tax_ids"]:
                self._make(body, lambda fields: self.ledger.add_tax_id(name, fields))
            case _:
                raise RefusedError(404, "resource_missing", "There is nothing here.")

    def _make(self, body: str, do: Callable[[Object], Object]) -> None:
        self._authenticate()
        try:
            made = self.ledger.once(
                self.headers.get("Idempotency-Key", ""), f"{self.path} {body}", lambda: do(nested(body))
            )
        except (KeyError, ValueError, TypeError) as error:
            raise RefusedError(400, "parameter_missing", f"A parameter is missing or wrong: {error}") from error
        self._json(made)

    def _page_form(self, page: str, name: str, form: Object) -> None:
        ledger, card = self.ledger, str(form.get("card", ""))
        try:
            if page == "pay":
                paid = ledger.pay_session(name, card, str(form.get("code", "")), str(form.get("tax_id", ""))[:40])
                self._redirect(paid["success_url"])
                return
            if page == "invoice":
                ledger.pay_invoice(name, card)
            else:
                self._portal_form(ledger.find(ledger.portals, name), form, card)
            self._redirect(self.path)
        except RefusedError as error:
            if error.status != HTTPStatus.PAYMENT_REQUIRED and error.code != "tax_id_invalid":
                raise
            self._html(self._again(page, name, str(error)))

    def _again(self, page: str, name: str, problem: str) -> str:
        """The same page, with what was wrong."""
        ledger = self.ledger
        match page:
            case "pay":
                return pages.pay(ledger.open_session(name), problem)
            case "invoice":
                return pages.invoice(ledger.find(ledger.invoices, name), problem)
            case _:
                return self._portal(ledger.find(ledger.portals, name), problem)

    def _portal_form(self, opened: Object, form: Object, card: str) -> None:
        ledger = self.ledger
        if form.get("do") == "card":
            ledger.use_card(opened["customer"], card)
            return
        own = {one["id"] for one in ledger.listed(ledger.subscriptions, opened["customer"])}
        if form.get("subscription") not in own:
            raise RefusedError(404, "resource_missing", "There is no such subscription.")
        ledger.cancel_with_period(form["subscription"], ends=form.get("do") == "cancel")

    def _portal(self, opened: Object, problem: str = "") -> str:
        ledger, customer = self.ledger, opened["customer"]
        subscriptions = ledger.listed(ledger.subscriptions, customer)
        return pages.portal(opened, subscriptions, ledger.listed(ledger.invoices, customer), problem)

    def _list(self, kind: dict[str, Object], query: dict[str, str]) -> Object:
        with self.ledger.lock:
            found = self.ledger.listed(kind, query.get("customer", ""))
            names = [one["id"] for one in found]
            start = names.index(query["starting_after"]) + 1 if query.get("starting_after") in names else 0
            limit = int(query.get("limit", "10"))
            part = found[start : start + limit]
            return {"object": "list", "data": part, "has_more": len(found) > start + limit}

    def _authenticate(self) -> None:
        if self.headers.get("Authorization") != f"Bearer {self.server.secret_key}":
            raise RefusedError(401, "api_key_invalid", "Invalid API key.")

    def _redirect(self, to: str) -> None:
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _html(self, text: str) -> None:
        self._send(HTTPStatus.OK, "text/html; charset=utf-8", text)

    def _json(self, value: Any, status: HTTPStatus = HTTPStatus.OK) -> None:  # noqa: ANN401  JSON
        self._send(status, "application/json", json.dumps(value))

    def _send(self, status: HTTPStatus, media_type: str, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", pages.CONTENT_SECURITY_POLICY)
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)


class Server(ThreadingHTTPServer):
    """One listening address; port 0 takes any. `changed` is called behind each request that may have changed the ledger."""

    daemon_threads = True

    def __init__(  # noqa: PLR0913  what it works with, by name
        self,
        address: str,
        port: int,
        secret_key: str,
        ledger: Ledger,
        *,
        tls: ssl.SSLContext | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__((address, port), Handler)
        if tls is not None:
            # Without a handshake here: it is done in the connection's thread, with the timeout of its reads.
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.ledger = ledger
        self.secret_key = secret_key
        self.changed = changed
