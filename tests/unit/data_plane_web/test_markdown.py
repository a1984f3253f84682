"""The Markdown of the manual: what it becomes, and that nothing in it becomes markup by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_data.web.markdown import html, inline


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("plain", "plain"),
        ("`a < b`", "<code>a &lt; b</code>"),
        ("**bold** and `**not**`", "<strong>bold</strong> and <code>**not**</code>"),
        ("*Users*, 2 * 3 * 4", "<em>Users</em>, 2 * 3 * 4"),
        ("[words `x`](y.md#z)", '<a class="link" href="y.md#z">words <code>x</code></a>'),
        ('<b>"', "&lt;b&gt;&#34;"),
    ],
)
def test_a_line(text: str, made: str) -> None:
    assert inline(text) == made


def test_blocks() -> None:
    text = "# Title\n\nOne\nline.\n\n- a\n  b\n- c\n\n1. x\n2. y\n\n```sh\ncurl <x>\n\n# no heading\n```\n\n| A | B |\n| - | -: |\n| 1 | `2` |\n"
    made = html(text)
    for part in (
        '<h1 id="title">Title</h1>',
        "<p>One line.</p>",
        "<ul><li>a b</li><li>c</li></ul>",
        "<ol><li>x</li><li>y</li></ol>",
        '<pre tabindex="0"><code>curl &lt;x&gt;\n\n# no heading</code></pre>',
        "<thead><tr><th>A</th><th>B</th></tr></thead><tbody><tr><td>1</td><td><code>2</code></td></tr></tbody>",
    ):
        assert part in made


def test_links_lead_where_the_page_says() -> None:
    assert 'href="/help/a"' in inline("[a](a.md)", lambda target: f"/help/{target.removesuffix('.md')}")


@given(st.text(alphabet="ab<>&\"'`*[]()|#-1. \n"))
def test_no_text_brings_markup_of_its_own(text: str) -> None:
    made = html(text)
    known = ("p", "h1", "h2", "h3", "h4", "ul", "ol", "li", "pre", "code", "strong", "em", "a", "div", "table", "thead")
    tags = [part.split(">")[0].strip("/").split(" ")[0] for part in made.split("<")[1:]]
    assert set(tags) <= {*known, "tbody", "tr", "th", "td"}
