"""Mails that go out beside the requests: nobody waits for a mail server, and no answer's time tells who has an account.

What a restart interrupts is lost, on purpose: only a digest of a link's secret
is stored, so a queue that outlives the process would have to keep what lets
people in. A reset is asked for again; an invitation is shown as not sent.
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

_RETRY_DELAYS: Final = (2.0, 15.0, 60.0)  # seconds between attempts: a mail server's restart, not its outage
_MAX_IN_FLIGHT: Final = 50  # on their way; what is more is refused before anything is looked up

log = structlog.get_logger(__name__)


class Mailer:
    """The way out. Settings and authorities are read for each mail, so that a change needs no restart."""

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
        """Refuse before anything is looked up or written.

        Raises:
            UnavailableError: too much is under way.
        """
        if self._at_capacity:
            raise UnavailableError("Too many mails are on their way. Try again in a moment.")

    def send_in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that ends in a mail, without waiting for it; not at all while too much is under way."""
        if self._at_capacity:
            work.close()
            log.warning("mail_not_sent", problem="too much is under way")
            return
        task = asyncio.create_task(_log_failure(work))
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    async def deliver(self, mail: Mail) -> bool:
        """Whether the server took it, tried for a little more than a minute."""
        for pause in (*_RETRY_DELAYS, None):
            try:
                return await self._send(mail)
            except MailRefusedError as error:
                log.warning("mail_refused", problem=str(error))
                return False
            except MailServerUnavailableError as error:
                log.warning("mail_not_sent", problem=explained(error), again=pause is not None)
            if pause is not None:
                await asyncio.sleep(pause)
        return False

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = list(self._in_flight)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self, mail: Mail) -> bool:
        server = await asyncio.to_thread(read_mail, self._folder)
        if server is None:
            return False
        await send(mail, server, await asyncio.to_thread(self._tls))
        return True

    def _tls(self) -> ssl.SSLContext:
        """Unlike the platform's own services, a mail server may be anybody's: known authorities and TLS 1.2 will do."""
        context = ssl.create_default_context()
        context.load_verify_locations(self._ca_file)
        return context


async def _log_failure(work: Coroutine[Any, Any, None]) -> None:
    """Nobody waits for its outcome, so it is logged."""
    try:
        await work
    except WebError as error:
        log.warning("mail_not_sent", problem=explained(error))
    except Exception:
        log.exception("mail_not_sent")
