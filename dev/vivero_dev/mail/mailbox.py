"""The folder of mails: one file each, the newest kept, parsed when read."""

import email.policy
import hashlib
import secrets
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

# Enough for a day of tests; the oldest go first.
MAX_MESSAGES = 1000


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file that came with a mail, without its content."""

    name: str
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Mail:
    """One received mail. `sender` and `recipients` are the envelope's, not the header's."""

    id: str
    received_at: str
    sender: str
    recipients: list[str]
    subject: str
    text: str
    html: str
    attachments: list[AttachedFile]


class Mailbox:
    """Mails in a folder, shared by the SMTP and the web server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def add(self, sender: str, recipients: list[str], content: bytes) -> str:
        """Store a mail and return its id; ids sort by time of arrival."""
        now = datetime.now(UTC)
        name = f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"
        head = f"X-Vivero-Received: {now.isoformat()}\r\nX-Vivero-Sender: {sender}\r\n"
        head += "".join(f"X-Vivero-Recipient: {recipient}\r\n" for recipient in recipients)
        # A mail whose first line begins with a space would continue the previous header.
        head += "X-Vivero-Content: follows\r\n"
        with self._lock:
            draft = self._folder / f"{name}.tmp"
            draft.write_bytes(head.encode("utf-8", "replace") + content)
            draft.rename(self._folder / f"{name}.eml")
            for old in self._files()[MAX_MESSAGES:]:
                old.unlink(missing_ok=True)
        return name

    def mails(self, recipient: str | None = None) -> list[Mail]:
        """All mails, newest first; only those to `recipient` if given."""
        mails = [_read(file) for file in self._files()]
        return [mail for mail in mails if recipient is None or recipient in mail.recipients]

    def get(self, name: str) -> Mail | None:
        file = next((file for file in self._files() if file.stem == name), None)
        return _read(file) if file else None

    def clear(self) -> None:
        for file in self._files():
            file.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.eml"), reverse=True)


def _read(file: Path) -> Mail:
    message = BytesParser(EmailMessage, policy=email.policy.default).parsebytes(file.read_bytes())
    return Mail(
        id=file.stem,
        received_at=str(message["X-Vivero-Received"]),
        sender=str(message["X-Vivero-Sender"] or ""),
        recipients=[str(text) for text in message.get_all("X-Vivero-Recipient", [])],
        subject=str(message["Subject"] or ""),
        text=_body(message, "plain"),
        html=_body(message, "html"),
        attachments=[_attached(part) for part in message.iter_attachments()],
    )


def _attached(part: EmailMessage) -> AttachedFile:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):  # a mail inside the mail
        content = part.as_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return AttachedFile(str(part.get_filename() or ""), part.get_content_type(), len(content), digest)


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""
