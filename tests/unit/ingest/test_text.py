"""Rules T1 to T3: what the writer wrote, apart from what was quoted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.text import html_body, plain_body
from services.ingest.text.tokens import tokens

SIZE = 300_000


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>A</p><p>B</p>", "A\nB"),
        ("A<br>B<br/>C", "A\nB\nC"),
        ("<div>A</div><div><br></div><div>B</div>", "A\n\nB"),
        ("A<br><br><br><br>B", "A\n\nB"),
        ("Hello<div>World</div>", "Hello\nWorld"),
        ("<ul><li>a</li><li><p>b</p></li></ul>c", "- a\n- b\nc"),
        ("  a \n\t b ", "a b"),
        ("a&nbsp;b&#8203;c\u200bd", "a bcd"),
        ("&lt;b&gt; &amp;amp; &quot;x&quot; &euro;", '<b> &amp; "x" €'),
        ('see <a href="https://x.example/?a=1>2">our page</a>', "see our page"),
        ("<head><title>t</title>x</head><body>y", "y"),
        ("<style>a{}</style>x<script>if (a<b) '</p>'</script>y<!-- <p>z --><img alt='no'>", "xy"),
        ("<pre>  a\n    b</pre>c", "a\n    b\nc"),
        ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1 2\n3"),
        ("2 < 3 and <3 \U0001f600", "2 < 3 and <3 \U0001f600"),
        ("<p>unclosed <b>bold", "unclosed bold"),
        ("<SPAN>a</SPAN><custom-tag x=\"'>\" y='\">'>b</custom-tag>", "ab"),
        ("a\x00b\ud83dc", "ab\ufffdc"),
        ("", ""),
    ],
)
def test_html_becomes_the_text_that_a_reader_sees(html: str, text: str) -> None:
    """T1."""
    assert html_body(html, of_customer=False).text == text


@pytest.mark.parametrize(
    "trail",
    [
        "On Mon, 2 Mar 2026 at 10:00, Anna <a@x.example> wrote:\n> old",
        "On Mon, 2 Mar 2026 at 10:00, Anna Weber\n<anna.weber@x.example> wrote:\nold",
        "Am 27.02.2026 um 16:02 schrieb Möbel Nord <s@x.example>:\n> old",
        "Am Mo., 2. März 2026 um 10:00 Uhr schrieb Anna Weber\n<anna@x.example>:\nold",
        "-----Original Message-----\nold",
        "-----Ursprüngliche Nachricht-----\nold",
        "---------- Forwarded message ---------\nold",
        "-------- Weitergeleitete Nachricht --------\nold",
        "From: Anna\nTo: Ben\nSent: Monday\nold",
        "Von: Anna\nGesendet: Montag\nold",
        "> old",
        "##- Please type your reply above this line -##\nold",
    ],
)
def test_the_quoted_trail_is_cut_and_kept_apart(trail: str) -> None:
    """T2 and T3 on lines; nothing is lost."""
    for of_customer in (True, False):
        body = plain_body(f"Danke!\n\n{trail}", of_customer=of_customer)
        assert (body.text, body.quoted_text) == ("Danke!", trail)


@pytest.mark.parametrize(
    "mark",
    [
        '<blockquote type="cite">',
        '<div class="x gmail_quote_container">',
        "<div class=yahoo_quoted>",
        '<div class="moz-cite-prefix">',
        "<div id='divRplyFwdMsg'>",
        '<div id="appendonsend">',
    ],
)
def test_marks_of_mail_programs_begin_the_trail(mark: str) -> None:
    """T2 on HTML: the first mark, and everything after it."""
    body = html_body(f"<p>Danke!</p>{mark}<p>old</p></div><p>older</p>", of_customer=False)
    assert (body.text, body.quoted_text) == ("Danke!", "old\nolder")


@pytest.mark.parametrize(
    "html",
    [
        'Hallo<span class="js-signatureMarker"></span><div>Thomas</div>',
        'Hallo<div data-signature="true">Thomas</div>',
        "<div>Hallo</div><div>-- </div><div>Thomas</div>",
    ],
)
def test_a_customers_signature_is_cut_and_an_agents_stays(html: str) -> None:
    """Closings of agents count."""
    cut = html_body(html, of_customer=True)
    assert (cut.text, cut.quoted_text is None) == ("Hallo", False)
    assert "Thomas" in html_body(html, of_customer=False).text


@pytest.mark.parametrize("body", ["> only a quote", "-- \nThomas", "On Monday, A wrote:\n> x"])
def test_what_would_leave_nothing_is_not_cut(body: str) -> None:
    """A forwarded mail without a word of one's own is all there is."""
    kept = plain_body(body, of_customer=True)
    assert (kept.text.replace(" \n", "\n"), kept.quoted_text) == (body.replace(" \n", "\n"), None)


@pytest.mark.parametrize(
    "text",
    [
        "Am Montag schrieb ich Ihnen:\nKeine Antwort.",
        "Am Telefon war niemand.\nWas nun?",
        "On the phone nobody answered.\nWhat now?",
        "Von: hier an\ngeht nichts mehr",
        "3 > 2",
        "- a\n- b",
        "--- wichtig ---",
    ],
)
def test_ordinary_sentences_are_not_taken_for_a_trail(text: str) -> None:
    """A cut too many loses what the customer said."""
    assert plain_body(text, of_customer=True).text == text


def test_work_grows_with_the_size_of_a_nested_megabyte() -> None:
    """Counted in tokens, one for each tag."""
    assert sum(1 for _ in tokens("<div>" * 300_000)) == 300_000


UNITS = [
    *(
        "<div>",
        "<b a=1>",
        "<",
        "</",
        "<!--",
        '<a b="',
        "<a b='\"",
        "&",
        "&#x",
        "&ampamp",
        "\n",
        "> \n",
        "On \n",
    ),
    *(
        "Von:\n",
        "<script>",
        "<style><",
        "<head>",
        "<title",
        "<a =",
        "<a / ",
        "##-",
        "-##",
        "\r\n",
        "<!",
        "\xa0",
    ),
    *("<pre>\n", "<li>", "<blockquote type=cite>", "\U0001f600", "\u200b", "--\n", "<td>", "Am x schrieb \n"),
]


@pytest.mark.parametrize("unit", UNITS)
def test_a_hostile_body_is_read_to_its_end(unit: str) -> None:
    """Nothing is quadratic and nothing recurses; what were would run for hours here."""
    body = f"Hallo {unit * (SIZE // len(unit))}"
    assert html_body(body, of_customer=True).text.startswith("Hallo")
    assert plain_body(body, of_customer=True).text.startswith("Hallo")


@pytest.mark.parametrize("filling", [" ", "\n", "a", "=", "/", '"', "a=", "a= ", "' "])
def test_one_endless_tag_is_read_to_its_end(filling: str) -> None:
    """Attributes are read without going back."""
    body = f"Hallo<a {filling * (SIZE // len(filling))}"
    assert html_body(body, of_customer=True).text == "Hallo"


@given(st.lists(st.sampled_from([*UNITS, "a", ">", '"', "'", "=", " ", "</p>", "<p x>", "-->", "</script>"])))
def test_every_soup_of_tags_becomes_text(parts: list[str]) -> None:
    """No markup is refused, and the result is tidy."""
    soup = "".join(parts)
    assert list(tokens(soup)) is not None
    for body in (html_body(soup, of_customer=True), plain_body(soup, of_customer=False)):
        assert body.text == body.text.strip()
        assert "\n\n\n" not in body.text
        assert "\xa0" not in body.text
        assert body.quoted_text is None or (body.quoted_text and body.text)
