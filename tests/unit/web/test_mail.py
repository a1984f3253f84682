"""Mails, and a real SMTP server in this process."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from vivero_dev.certificates import Authority
from vivero_web.mail import Mail, MailRefusedError, MailServer, MailServerUnavailableError, compose, refused, send

SENDER = "Vivero <no-reply@vivero.example>"
MAIL = Mail(key="reset:1", to="grace@example.com", subject="Hello", text="A text\n")


class Office:
    """aiosmtpd's handler: takes what comes, but for one address."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []

    async def handle_RCPT(  # noqa: N802  aiosmtpd calls it by this name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        codes = {"gone@example.com": "550 no such user", "later@example.com": "451 come back later"}
        if address in codes:
            return codes[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  as above
        self.taken.append(envelope)
        return "250 taken"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "certificates")


@pytest.fixture
def trust(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority.ensure())


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
async def port(authority: Authority, office: Office) -> AsyncIterator[int]:
    """Takes mails after STARTTLS and a login only."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    pair = authority.issue("mail", ["localhost"])
    context.load_cert_chain(pair.certificate, pair.key)

    def login(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object) -> AuthResult:
        right = getattr(data, "login", b"") == b"tenants" and getattr(data, "password", b"") == b"sesame"
        return AuthResult(success=right)

    def protocol() -> SMTP:
        return SMTP(
            office, tls_context=context, require_starttls=True, auth_required=True, authenticator=login, hostname="mail"
        )

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def test_answers_go_where_they_are_read(port: int, trust: ssl.SSLContext, office: Office) -> None:
    for reply_to in ("help@vivero.example", None):
        await send(MAIL, at(port, reply_to=reply_to), trust)
        assert (b"Reply-To: help@vivero.example" in (office.taken.pop().content or b"")) is (reply_to is not None)


def at(port: int, **changes: object) -> MailServer:
    given = {"host": "localhost", "port": port, "sender": SENDER, "username": "tenants", "password": "sesame"}
    return msgspec.convert({**given, **changes, "timeout": 5.0}, MailServer)


async def test_a_mail_arrives_with_its_words(port: int, trust: ssl.SSLContext, office: Office) -> None:
    await send(MAIL, at(port), trust)
    (envelope,) = office.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == ("no-reply@vivero.example", [MAIL.to])
    assert isinstance(envelope.content, bytes)
    content = envelope.content.decode()
    assert "Subject: Hello" in content
    assert "A text" in content


async def test_a_server_with_another_name_or_authority_gets_nothing(
    port: int, trust: ssl.SSLContext, office: Office
) -> None:
    for server, context in ((at(port, host="127.0.0.1"), trust), (at(port), ssl.create_default_context())):
        with pytest.raises(MailServerUnavailableError):
            await send(MAIL, server, context)
    assert not office.taken


@pytest.mark.parametrize(
    ("to", "changes", "error"),
    [
        ("gone@example.com", {}, MailRefusedError),
        ("later@example.com", {}, MailServerUnavailableError),
        ("grace@example.com", {"password": "wrong"}, MailServerUnavailableError),
        ("grace@example.com", {"security": "tls"}, MailServerUnavailableError),
    ],
)
async def test_what_a_server_says_is_told_apart(
    port: int, trust: ssl.SSLContext, to: str, changes: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await send(msgspec.structs.replace(MAIL, to=to), at(port, **changes), trust)


async def test_nobody_is_waited_for_without_end(trust: ssl.SSLContext) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    silent = msgspec.structs.replace(at(server.sockets[0].getsockname()[1]), timeout=0.2)
    with pytest.raises(MailServerUnavailableError):
        await asyncio.wait_for(send(MAIL, silent, trust), 60)
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0)  # the connection's other end goes, too


@pytest.mark.parametrize("code", [500, 550, 571])
def test_never_is_believed(code: int) -> None:
    assert isinstance(refused(code, ValueError()), MailRefusedError)


@pytest.mark.parametrize("code", [400, 421, 451])
def test_later_is_asked_again(code: int) -> None:
    assert isinstance(refused(code, ValueError()), MailServerUnavailableError)


def test_a_repeat_can_be_recognised() -> None:
    one, again = compose(MAIL, SENDER), compose(msgspec.structs.replace(MAIL, text="other"), SENDER)
    assert (
        one["Message-ID"]
        == again["Message-ID"]
        != compose(msgspec.structs.replace(MAIL, key="2"), SENDER)["Message-ID"]
    )
    assert one["Message-ID"].endswith("@vivero.example>")


@pytest.mark.parametrize("sender", ["", "nobody", "Vivero <>", "a@b\r\nBcc: c@d", "Vivero <a@b> <c@d>"])
def test_a_sender_without_an_address_is_refused(sender: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        at(587, sender=sender)


def test_a_login_is_in_no_repr() -> None:
    assert "sesame" not in repr(at(587))
