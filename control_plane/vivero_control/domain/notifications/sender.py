"""Hands mails to the SMTP server, over TLS."""

import hashlib
import ssl
from email.message import EmailMessage
from email.utils import parseaddr

import aiosmtplib
import msgspec
from vivero_web.errors import UnavailableError

from vivero_control.domain.notifications.mails import Mail
from vivero_control.jobs.kinds import GiveUpError, Kind, Payload, Words
from vivero_control.settings import MailSettings

_PERMANENT = 500  # SMTP: from here on the server says never, below it says later


class MailServerUnavailableError(UnavailableError):
    """No connection, or the server asks to come back later."""


def compose(mail: Mail, sender: str, reply_to: str | None = None) -> EmailMessage:
    """The message; its Message-ID depends on the mail alone, so that a repeat can be recognised."""
    domain = parseaddr(sender)[1].partition("@")[2] or "localhost"
    message = EmailMessage()
    message["From"] = sender
    message["To"] = mail.to
    if reply_to is not None:
        message["Reply-To"] = reply_to
    message["Subject"] = mail.subject
    message["Message-ID"] = f"<{hashlib.sha256(mail.key.encode()).hexdigest()[:32]}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    return message


class MailSender(Kind):
    """Mails as a job. One connection for each mail: they are few, and a kept one goes stale."""

    def __init__(self, settings: MailSettings, tls: ssl.SSLContext) -> None:
        self._settings = settings
        self._tls = tls

    def words(self, payload: Payload) -> Words:
        return Words(f"Mail “{payload.get('subject', '')}”", str(payload.get("to", "")))

    async def perform(self, payload: Payload) -> None:
        """Hand it over.

        Raises:
            GiveUpError: the server refuses this mail for good.
            MailServerUnavailableError: try again later.
        """
        mail = msgspec.convert(payload, Mail)
        at = self._settings
        try:
            await aiosmtplib.send(
                compose(mail, at.sender, at.reply_to),
                hostname=at.host,
                port=at.port,
                use_tls=at.security == "tls",
                start_tls=at.security == "starttls",
                tls_context=self._tls,
                username=at.username,
                password=at.password.get_secret_value() if at.password else None,
                timeout=at.timeout,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise refused(max(one.code for one in error.recipients), error) from error
        except aiosmtplib.SMTPResponseException as error:
            raise refused(error.code, error) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailServerUnavailableError from error


def refused(code: int, error: Exception) -> GiveUpError | MailServerUnavailableError:
    """What an SMTP answer means for the entry."""
    if code >= _PERMANENT:
        return GiveUpError(f"the mail server refuses it ({code}): {type(error).__name__}")
    return MailServerUnavailableError()
