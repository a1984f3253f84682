"""SMTP for the mail sink: requires STARTTLS, then accepts every mail to every address."""

import asyncio
import ssl

from aiosmtpd.smtp import SMTP, Envelope, Session

from vivero_dev.mail.mailbox import Mailbox

MAX_MAIL_BYTES = 10 * 1024 * 1024
IDLE_SECONDS = 60.0


class Sink:
    """aiosmtpd's handler: stores every mail."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd calls it by this name
        content = envelope.original_content or b""
        name = await asyncio.to_thread(self._mailbox.add, envelope.mail_from or "", envelope.rcpt_tos, content)
        return f"250 kept as {name}"


async def listen(address: str, port: int, context: ssl.SSLContext, mailbox: Mailbox) -> asyncio.Server:
    """Accept mails; before STARTTLS no other command is accepted."""

    def protocol() -> SMTP:
        return SMTP(
            Sink(mailbox),
            tls_context=context,
            require_starttls=True,
            data_size_limit=MAX_MAIL_BYTES,
            timeout=IDLE_SECONDS,
            enable_SMTPUTF8=True,
            ident="Vivero mail sink",
            hostname="localhost",
        )

    return await asyncio.get_running_loop().create_server(protocol, address, port)
