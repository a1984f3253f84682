"""A receiver of webhooks: a server with TLS on this machine."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from vivero_web import clock
from vivero_web.webhook_sender import WHOLE_SECONDS, WebhookSender

NAME = "hooks.example.com"


class Receiver:
    """A server with a certificate for NAME; notes what it gets, and answers as it is told."""

    def __init__(self, folder: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(clock.now() - timedelta(days=1))
            .not_valid_after(clock.now() + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
            .sign(key, hashes.SHA256())
        )
        self.certificate, private = folder / "hooks.crt", folder / "hooks.key"
        self.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        pem = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        private.write_bytes(key.private_bytes(serialization.Encoding.PEM, *pem))
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(self.certificate, private)
        self.answer = "204 No Content"
        self.said = ""
        self.trickles = False
        """Whether it answers a byte at a time, and never to the end."""
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.port = 0

    async def serve(self) -> asyncio.Server:
        server = await asyncio.start_server(self._handle, "127.0.0.1", 0, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in request[1:] if line)}
        self.got.append((headers, await reader.readexactly(int(headers["content-length"]))))
        if self.trickles:
            with suppress(ConnectionError):
                while not writer.is_closing():
                    writer.write(b"HTTP/1.1 200 " if not self.said else b"x")
                    self.said = "begun"
                    await writer.drain()
                    await asyncio.sleep(0.05)
            return
        head = (self.answer, "location: https://127.0.0.1:1/", f"content-length: {len(self.said)}", "", self.said)
        writer.write(("HTTP/1.1 " + "\r\n".join(head)).encode())
        await writer.drain()
        writer.close()

    def sender(self, kept_bytes: int = 0, whole_seconds: float = WHOLE_SECONDS) -> WebhookSender:
        """One that finds NAME here, and trusts the certificate."""
        return WebhookSender(
            tls=lambda: ssl.create_default_context(cafile=str(self.certificate)),
            find=lambda *_: ["127.0.0.1"],
            allowed=lambda _: True,
            kept_bytes=kept_bytes,
            whole_seconds=whole_seconds,
        )


@asynccontextmanager
async def receiving(folder: Path) -> AsyncIterator[Receiver]:
    """While the block lasts."""
    made = Receiver(folder)
    server = await made.serve()
    try:
        yield made
    finally:
        server.close()
