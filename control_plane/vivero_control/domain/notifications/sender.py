"""What the outbox does with a mail."""

import ssl
from typing import Any

import msgspec
from vivero_web.mail import Mail, MailRefusedError, MailServer, send

from vivero_control.domain.notifications.outbox import GiveUpError


class MailSender:
    """Hands mails to our SMTP server."""

    def __init__(self, server: MailServer, tls: ssl.SSLContext) -> None:
        self._server = server
        self._tls = tls

    async def perform(self, payload: dict[str, Any]) -> None:
        """For the outbox.

        Raises:
            GiveUpError: the server refuses this mail for good.
            MailServerUnavailableError: try again later.
        """
        await self.send(msgspec.convert(payload, Mail))

    async def send(self, mail: Mail) -> None:
        """As `perform`, for a mail that must not be kept: it holds a secret."""
        try:
            await send(mail, self._server, self._tls)
        except MailRefusedError as error:
            raise GiveUpError(str(error)) from error
