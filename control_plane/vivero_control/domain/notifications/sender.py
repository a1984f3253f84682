"""What the outbox does with a mail."""

import ssl

import msgspec
from vivero_web.mail import Mail, MailRefusedError, MailServer, send

from vivero_control.jobs.kinds import GiveUpError, JobDescription, JobKind, Payload


class MailSender(JobKind):
    """Mails as a job."""

    def __init__(self, server: MailServer, tls: ssl.SSLContext) -> None:
        self._server = server
        self._tls = tls

    def describe(self, payload: Payload) -> JobDescription:
        return JobDescription(f"Mail “{payload.get('subject', '')}”", str(payload.get("to", "")))

    async def perform(self, payload: Payload) -> None:
        """Hand it over.

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
