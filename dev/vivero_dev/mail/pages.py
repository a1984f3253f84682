"""The two pages of the mail sink: the list and one mail."""

from html import escape

from vivero_dev.mail.mailbox import Mail

# A mail's HTML is shown in a sandboxed frame without scripts.
CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'"

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1f2937 }}
h1 {{ font-size: 1.5rem }} a {{ color: #1d4ed8 }} pre {{ white-space: pre-wrap; overflow-wrap: anywhere }}
table {{ border-collapse: collapse; width: 100% }} th, td {{ text-align: left; padding: .5rem; vertical-align: top }}
tr {{ border-bottom: 1px solid #e5e7eb }} iframe {{ border: 1px solid #d1d5db; width: 100%; height: 40rem }}
dt {{ font-weight: 600; float: left; clear: left; width: 6rem }}
</style></head><body>{body}</body></html>
"""


def list_page(mails: list[Mail]) -> str:
    rows = "".join(
        f"<tr><td>{escape(mail.received_at[:19].replace('T', ' '))}</td><td>{escape(', '.join(mail.recipients))}</td>"
        f'<td><a href="/messages/{escape(mail.id)}">{escape(mail.subject) or "(no subject)"}</a></td></tr>'
        for mail in mails
    )
    table = f"<table><thead><tr><th>Received (UTC)<th>To<th>Subject</tr></thead><tbody>{rows}</tbody></table>"
    body = f"<h1>Mails of the local platform</h1>{table if mails else '<p>No mail yet.</p>'}"
    return PAGE.format(title="Mails", body=body)


def mail_page(mail: Mail) -> str:
    head = "".join(
        f"<dt>{name}</dt><dd>{escape(value)}</dd>"
        for name, value in (
            ("From", mail.sender),
            ("To", ", ".join(mail.recipients)),
            ("Received", mail.received_at),
            ("Attached", ", ".join(f"{one.name} ({one.size} bytes)" for one in mail.attachments) or "nothing"),
        )
    )
    frame = f'<h2>HTML</h2><iframe sandbox title="The mail as HTML" srcdoc="{escape(mail.html)}"></iframe>'
    body = (
        f'<p><a href="/">All mails</a></p><h1>{escape(mail.subject) or "(no subject)"}</h1><dl>{head}</dl>'
        f"<pre>{escape(mail.text)}</pre>{frame if mail.html else ''}"
    )
    return PAGE.format(title=escape(mail.subject), body=body)
