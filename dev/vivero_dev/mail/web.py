"""HTTPS for the mail sink: JSON for tests, pages for people."""

import json
import socket
import ssl
from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from vivero_dev.mail.mailbox import Mailbox
from vivero_dev.mail.pages import CONTENT_SECURITY_POLICY, list_page, mail_page
from vivero_dev.serving import serve_in_thread

SOCKET_SECONDS = 10.0


class Handler(BaseHTTPRequestHandler):
    """`/`, `/messages/<id>`, `/api/messages[?to=]`, `/api/messages/<id>`; DELETE `/api/messages` empties."""

    mailbox: ClassVar[Mailbox]
    timeout = SOCKET_SECONDS

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        match [unquote(part) for part in parts.path.strip("/").split("/")]:
            case [""]:
                self._html(list_page(self.mailbox.mails()))
            case ["messages", name] if mail := self.mailbox.get(name):
                self._html(mail_page(mail))
            case ["api", "messages"]:
                wanted = parse_qs(parts.query).get("to", [None])[0]
                self._json({"messages": [asdict(mail) for mail in self.mailbox.mails(wanted)]})
            case ["api", "messages", name] if mail := self.mailbox.get(name):
                self._json(asdict(mail))
            case _:
                self.send_error(HTTPStatus.NOT_FOUND)

    def do_DELETE(self) -> None:
        if urlsplit(self.path).path != "/api/messages":
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.mailbox.clear()
        self._json({"messages": []})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it so
        """Log nothing: a readiness probe a second would fill the log."""

    def _html(self, text: str) -> None:
        self._send("text/html; charset=utf-8", text)

    def _json(self, value: object) -> None:
        self._send("application/json", json.dumps(value))

    def _send(self, media_type: str, text: str) -> None:
        content = text.encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)


class Server(ThreadingHTTPServer):
    """One listening address; the TLS handshake happens in the connection's own thread."""

    daemon_threads = True

    def __init__(self, address: str, port: int, context: ssl.SSLContext, mailbox: Mailbox) -> None:
        self._context = context
        super().__init__((address, port), type("BoundHandler", (Handler,), {"mailbox": mailbox}))

    def finish_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """TLS handshake in the connection's thread, so that a stalled client blocks no other."""
        if isinstance(request, tuple):
            raise TypeError("a stream server got a datagram")
        request.settimeout(SOCKET_SECONDS)
        with self._context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)


def serve(address: str, port: int, context: ssl.SSLContext, mailbox: Mailbox) -> Callable[[], None]:
    """Serve in a thread; returns a function that stops it."""
    return serve_in_thread(Server(address, port, context, mailbox))
