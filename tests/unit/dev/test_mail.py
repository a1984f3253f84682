import asyncio
import json
import smtplib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from vivero_dev.certificates import Authority
from vivero_dev.mail.__main__ import parse
from vivero_dev.mail.mailbox import MAX_MESSAGES, Mail, Mailbox
from vivero_dev.mail.pages import list_page, mail_page
from vivero_dev.mail.smtp import listen
from vivero_dev.mail.web import serve
from vivero_dev.serving import tls_context

CONTENT = (
    b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/alternative; boundary="x"\r\n\r\n'
    b"--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nplain <b>\r\n"
    b"--x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<b>rich</b>\r\n--x--\r\n"
)


@pytest.fixture
def mailbox(tmp_path: Path) -> Mailbox:
    return Mailbox(tmp_path)


def test_a_mail_is_kept_with_its_envelope_and_both_bodies(mailbox: Mailbox) -> None:
    name = mailbox.add("a@x.example", ["b@x.example", "c@x.example"], CONTENT)
    mail = mailbox.get(name)
    assert mail is not None
    assert (mail.sender, mail.recipients, mail.subject) == ("a@x.example", ["b@x.example", "c@x.example"], "Grüße")
    assert "plain <b>" in mail.text
    assert "<b>rich</b>" in mail.html


def test_the_newest_comes_first_and_recipients_filter(mailbox: Mailbox) -> None:
    for number in range(3):
        mailbox.add("a@x.example", [f"{number}@x.example"], f"Subject: {number}\r\n\r\n".encode())
    assert [mail.subject for mail in mailbox.mails()] == ["2", "1", "0"]
    assert [mail.subject for mail in mailbox.mails("1@x.example")] == ["1"]
    mailbox.clear()
    assert mailbox.mails() == []
    assert mailbox.get("../../etc/passwd") is None


def test_the_oldest_go_when_the_folder_is_full(mailbox: Mailbox, tmp_path: Path) -> None:
    for number in range(MAX_MESSAGES):
        (tmp_path / f"2000-{number:05}.eml").write_bytes(b"Subject: old\r\n\r\n")
    name = mailbox.add("a@x.example", ["b@x.example"], b"Subject: new\r\n\r\n")
    kept = sorted(file.stem for file in tmp_path.glob("*.eml"))
    assert len(kept) == MAX_MESSAGES
    assert name in kept
    assert "2000-00000" not in kept


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(content=st.binary(max_size=300))
@example(content=b"\tfolded")
def test_any_bytes_can_be_read_back(mailbox: Mailbox, content: bytes) -> None:
    mailbox.clear()
    mailbox.add("a@x.example", ["b@x.example"], content)
    (mail,) = mailbox.mails()
    assert mail.recipients == ["b@x.example"]


def test_pages_show_mails_as_text_never_as_markup() -> None:
    mail = Mail("1", "2026-01-01T00:00:00+00:00", "a", ["<script>"], "<img src=x>", "</pre><script>", '"><script>', [])
    for page in (list_page([mail]), mail_page(mail)):
        assert "<script>" not in page
        assert "<img" not in page
    assert "No mail yet" in list_page([])
    assert "sandbox" in mail_page(mail)


class Running:
    def __init__(self, authority: Authority, smtp_port: int, web_port: int) -> None:
        self.context = ssl.create_default_context(cafile=str(authority.certificate))
        self.smtp_port = smtp_port
        self.url = f"https://127.0.0.1:{web_port}"


@pytest.fixture
async def running(tmp_path: Path, unused_tcp_port_factory: "object") -> AsyncIterator[Running]:
    assert callable(unused_tcp_port_factory)
    authority = Authority(tmp_path / "certificates")
    pair = authority.issue("mail", ["127.0.0.1"])
    (tmp_path / "mails").mkdir()
    mailbox, context = Mailbox(tmp_path / "mails"), tls_context(pair.certificate, pair.key)
    smtp_port, web_port = unused_tcp_port_factory(), unused_tcp_port_factory()
    server = await listen("127.0.0.1", smtp_port, context, mailbox)
    stop = serve("127.0.0.1", web_port, context, mailbox)
    yield Running(authority, smtp_port, web_port)
    stop()
    server.close()
    await server.wait_closed()


def send(running: Running, *, secured: bool) -> str | None:
    with smtplib.SMTP("127.0.0.1", running.smtp_port, timeout=10) as client:
        if secured:
            client.starttls(context=running.context)
        client.sendmail("a@x.example", ["b@x.example"], CONTENT)
        return client.sock.version() if isinstance(client.sock, ssl.SSLSocket) else None


async def test_a_mail_sent_over_tls_is_read_over_https(running: Running) -> None:
    assert await asyncio.to_thread(send, running, secured=True) == "TLSv1.3"
    async with httpx.AsyncClient(verify=running.context, base_url=running.url) as client:
        (mail,) = (await client.get("/api/messages", params={"to": "b@x.example"})).json()["messages"]
        assert (await client.get(f"/api/messages/{mail['id']}")).json() == mail
        page = await client.get(f"/messages/{mail['id']}")
        assert "Grüße" in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "Grüße" in (await client.get("/")).text
        assert (await client.get("/api/messages/none")).status_code == 404
        assert (await client.delete("/api/messages/none")).status_code == 404
        assert json.loads((await client.delete("/api/messages")).text) == {"messages": []}
        assert (await client.get("/api/messages")).json() == {"messages": []}


async def test_nothing_is_taken_in_clear(running: Running) -> None:
    with pytest.raises(smtplib.SMTPSenderRefused, match="STARTTLS"):
        await asyncio.to_thread(send, running, secured=False)


def test_the_command_line_names_every_place() -> None:
    addresses = ["--address=127.0.0.1", "--address=10.0.0.1"]
    options = parse([*addresses, "--smtp-port=1", "--web-port=2", "--folder=f", "--certificate=c", "--key=k"])
    assert options.address == ["127.0.0.1", "10.0.0.1"]
    assert (options.smtp_port, options.web_port, options.folder) == (1, 2, Path("f"))
