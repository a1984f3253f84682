"""The HTML of mails: nothing that people wrote is markup in it, and it says what the text says."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st
from vivero_web import mail_html
from vivero_web.mail import Mail, compose

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
KNOWN = {"html", "head", "meta", "title", "style", "body", "div", "h1", "h2", "p", "a", "br", "table", "thead", "tbody", "tfoot", "tr", "th", "td"}  # fmt: skip


class Read(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.links: list[str] = []
        self.cells: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag == "a":
            self.links.append(dict(attrs)["href"] or "")
        if tag in {"td", "th"}:
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self.cells:
            self.cells[-1] += data


@given(WORDS, WORDS, st.lists(st.lists(WORDS, min_size=2, max_size=2), max_size=3))
def test_what_people_wrote_is_text(title: str, words: str, rows: list[list[str]]) -> None:
    read = Read(
        mail_html.document(
            title, mail_html.heading(title), mail_html.paragraph(words), mail_html.table(["A", "B"], 1, rows)
        )
    )
    assert set(read.tags) <= KNOWN
    assert read.tags.count("tr") == len(rows) + 1
    assert read.cells == ["A", "B", *(cell for row in rows for cell in row)]
    assert title in "".join(read.words)
    assert words in "".join(read.words)


def test_a_mail_of_text_has_its_paragraphs_and_its_link_as_html() -> None:
    text = "Hello,\n\nto go on, open\nthis <page>:\n\n    https://acme.example/set-password#s&3cret\n\nVivero\n"
    message = compose(Mail(key="k", to="ada@example.com", subject="Hello", text=text), "Vivero <a@vivero.example>")
    assert message.get_content_type() == "multipart/alternative"
    plain, rich = message.iter_parts()
    assert plain.get_content() == text
    read = Read(rich.get_content())
    assert read.links == ["https://acme.example/set-password#s&3cret"]
    assert "to go on, open this <page>:" in read.words
    assert message["List-Unsubscribe"] is None


def test_each_of_several_links_is_one() -> None:
    urls = [f"https://{name}.vivero.example" for name in ("acme", "brisa", "cedar")]
    read = Read(mail_html.of_text("Your workspaces", "They are here:\n\n" + "\n".join(f"    {one}" for one in urls)))
    assert read.links == urls
    assert "They are here:" in read.words


def test_a_mail_that_can_be_stopped_says_where() -> None:
    mail = Mail(
        key="k", to="ada@example.com", subject="x", text="y", html="<p>z</p>", stop="https://acme.example/stop/1"
    )
    message = compose(mail, "a@vivero.example")
    assert message["List-Unsubscribe"] == "<https://acme.example/stop/1>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
