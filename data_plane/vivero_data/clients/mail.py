"""Mails are sent in background tasks: no request waits for a mail server, and no response time reveals an account.

Mails in flight are lost at a restart, on purpose: only a digest of a link's
secret is stored, so a durable queue would have to store the secret itself. A
reset is requested again; an invitation is shown as not sent.
"""

import asyncio
import ssl
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

import structlog
from vivero_web.errors import UnavailableError, WebError, explained
from vivero_web.mail import Mail, MailRefusedError, MailServerUnavailableError, send

from vivero_data.settings import read_mail

_RETRY_DELAYS: Final = (2.0, 15.0, 60.0)  # seconds between attempts: for a mail server's restart, not for an outage
_MAX_IN_FLIGHT: Final = 50  # mails; further requests are refused before any lookup

log = structlog.get_logger(__name__)


class Mailer:
    """Sends mail. Settings and CA certificates are read for each mail, so that a change needs no restart."""

    def __init__(self, folder: Path, ca_file: Path) -> None:
        self._folder = folder
        self._ca_file = ca_file
        self._in_flight: set[asyncio.Task[None]] = set()

    @property
    def configured(self) -> bool:
        """Whether this workspace has a mail server."""
        return (self._folder / "host").is_file()

    @property
    def _at_capacity(self) -> bool:
        return len(self._in_flight) >= _MAX_IN_FLIGHT

    def require_capacity(self) -> None:
        """Fail early, before any lookup or write.

        Raises:
            UnavailableError: too many mails are in flight.
        """
        if self._at_capacity:
            raise UnavailableError("Too many mails are on their way. Try again in a moment.")

    def send_in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine that ends in a mail as a background task; dropped while too many are in flight."""
        if self._at_capacity:
            work.close()
            log.warning("mail_not_sent", problem="too many mails in flight")
            return
        task = asyncio.create_task(_log_failure(work))
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    async def deliver(self, mail: Mail) -> bool:
        """Send with retries for a little more than a minute; whether the server accepted it."""
        for pause in (*_RETRY_DELAYS, None):
            try:
                return await self.send(mail)
            except MailRefusedError as error:
                log.warning("mail_refused", problem=str(error))
                return False
            except MailServerUnavailableError as error:
                log.warning("mail_not_sent", problem=explained(error), again=pause is not None)
            if pause is not None:
                await asyncio.sleep(pause)
        return False

    async def close(self) -> None:
        """Cancel all mails in flight."""
        tasks = list(self._in_flight)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def send(self, mail: Mail) -> bool:
        """Send at once; False if there is no mail server.

        Raises:
            MailRefusedError, MailServerUnavailableError: as `vivero_web.mail.send`.
        """
        server = await asyncio.to_thread(read_mail, self._folder)
        if server is None:
            return False
        await send(mail, server, await asyncio.to_thread(self._tls))
        return True

    def _tls(self) -> ssl.SSLContext:
        """Mail servers may be third-party, unlike the platform's services: public CAs and TLS 1.2 are accepted too."""
        context = ssl.create_default_context()
        context.load_verify_locations(self._ca_file)
        return context


async def _log_failure(work: Coroutine[Any, Any, None]) -> None:
    """Nothing awaits the task's result, so failures are logged."""
    try:
        await work
    except WebError as error:
        log.warning("mail_not_sent", problem=explained(error))
    except Exception:
        log.exception("mail_not_sent")
