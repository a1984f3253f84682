"""A mail, and handing it to the SMTP server: over TLS, with the server's name checked, and a bound on the wait.

The SMTP client is loaded with the first mail: most workspaces send none for days.
"""

from __future__ import annotations

import hashlib
from email.message import EmailMessage
from email.utils import parseaddr
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from vivero_core.errors import ViveroError

from vivero_web.errors import UnavailableError
from vivero_web.mail_html import of_text

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

_PERMANENT: Final = 500  # SMTP: from here on the server says never, below it says later

Line = Annotated[str, msgspec.Meta(min_length=1, max_length=512, pattern=r"^[^\r\n]+\Z")]


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """One mail, ready to go.

    Attributes:
        key: root of its Message-ID, so that a repeat can be recognised.
        html: the same for programs that show it; made of the text if there is none.
        stop: where a POST ends mails of this kind to this person (RFC 8058); none of what cannot be stopped.
    """

    key: str
    to: str
    subject: str
    text: str
    html: str = ""
    stop: str = ""

    def __repr__(self) -> str:
        """Without the text, which may hold a link that lets somebody in: a repr ends in logs."""
        return f"Mail({self.subject!r})"

    def payload(self) -> dict[str, Any]:
        """As JSON, for a mail that is kept until it goes."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built


class Attachment(msgspec.Struct, frozen=True):
    """A file that goes with a mail; `media_type` such as `application/pdf`."""

    name: str
    media_type: str
    content: bytes

    def __repr__(self) -> str:
        """Without the content: a repr ends in logs."""
        return f"Attachment({self.name!r})"


class MailServer(msgspec.Struct, frozen=True, kw_only=True):
    """The SMTP server that takes our mails.

    Attributes:
        security: TLS from the first byte on, or from STARTTLS on; never without.
        sender: whom the mails are from, `Name <address>`.
        reply_to: where answers are read; none where nobody reads them.
        username: of the login; none where the server knows us by our address.
        timeout: seconds for one whole delivery.
    """

    host: Line
    sender: Annotated[
        str, msgspec.Meta(max_length=254, pattern=r"^([^\r\n<>]*<[^\s@<>]+@[^\s@<>]+>|[^\s@<>]+@[^\s@<>]+)\Z")
    ]
    reply_to: Annotated[str, msgspec.Meta(max_length=254, pattern=r"^[^\s@<>]+@[^\s@<>]+\Z")] | None = None
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls"] = "starttls"
    username: Line | None = None
    password: Line | None = None
    timeout: Annotated[float, msgspec.Meta(gt=0, le=60)] = 10.0

    def __repr__(self) -> str:
        """Without the login: a repr ends in logs."""
        return f"MailServer({self.host!r}, …)"


class MailRefusedError(ViveroError):
    """The server refuses this mail for good."""


class MailServerUnavailableError(UnavailableError):
    """No connection, or the server asks to come back later."""


def compose(
    mail: Mail, sender: str, reply_to: str | None = None, attachments: Sequence[Attachment] = ()
) -> EmailMessage:
    """The message; its Message-ID depends on the mail alone."""
    domain = parseaddr(sender)[1].partition("@")[2] or "localhost"
    message = EmailMessage()
    message["From"] = sender
    message["To"] = mail.to
    if reply_to is not None:
        message["Reply-To"] = reply_to
    message["Subject"] = mail.subject
    message["Message-ID"] = f"<{hashlib.sha256(mail.key.encode()).hexdigest()[:32]}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    if mail.stop:
        message["List-Unsubscribe"] = f"<{mail.stop}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.text)
    message.add_alternative(mail.html or of_text(mail.subject, mail.text), subtype="html")
    for one in attachments:
        kind, _, subtype = one.media_type.partition("/")
        message.add_attachment(one.content, maintype=kind, subtype=subtype, filename=one.name)
    return message


async def send(mail: Mail, server: MailServer, tls: ssl.SSLContext, attachments: Sequence[Attachment] = ()) -> None:
    """One connection for each mail: they are few, and a kept one goes stale.

    Raises:
        MailRefusedError: the server refuses this mail for good.
        MailServerUnavailableError: try again later.
    """
    import aiosmtplib  # noqa: PLC0415  see the module's first lines

    try:
        await aiosmtplib.send(
            compose(mail, server.sender, server.reply_to, attachments),
            hostname=server.host,
            port=server.port,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=tls,
            username=server.username,
            password=server.password,
            timeout=server.timeout,
        )
    except aiosmtplib.SMTPRecipientsRefused as error:
        raise refused(max(one.code for one in error.recipients), error) from error
    except aiosmtplib.SMTPAuthenticationError as error:
        # Ours to mend, and no fault of this mail.
        raise MailServerUnavailableError("The mail server does not accept our login.") from error
    except aiosmtplib.SMTPResponseException as error:
        raise refused(error.code, error) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise MailServerUnavailableError("The mail server does not answer.") from error


def refused(code: int, error: Exception) -> MailRefusedError | MailServerUnavailableError:
    """What an SMTP answer means for the mail."""
    if code >= _PERMANENT:
        return MailRefusedError(f"the mail server refuses it ({code}): {type(error).__name__}")
    return MailServerUnavailableError("The mail server asks to come back later.")
