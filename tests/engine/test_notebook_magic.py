"""`%load_ext threadkeep` in a real IPython shell, and what its objects look like there."""

from __future__ import annotations

import html.parser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell

from threadkeep import connect
from threadkeep.errors import BackendError, ConfigError
from threadkeep.types.html_table import Cell, table
from threadkeep.types.knowledge import ForgetReport


@pytest.fixture
def shell(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    made = InteractiveShell()
    made.run_line_magic("load_ext", "threadkeep")
    yield made
    made.run_line_magic("unload_ext", "threadkeep")
    if made.history_manager is not None:
        made.history_manager.end_session()


@pytest.fixture
def store(tmp_path):
    """The URL of a store with two sessions."""
    url = f"sqlite:///{tmp_path}/chat.db"
    with connect(url) as memory:
        memory.session("trip", user="ada").add("I live in Oslo")
        memory.session("trip", user="ada").update(title="A <b>week</b>")
        memory.session("other", user="bob").add("Hi")
    return url


def shown(shell, value):
    """What a notebook shows of a value."""
    formats, _ = shell.display_formatter.format(value)
    return formats.get("text/html")


def test_the_magic_opens_a_store_and_lists_its_sessions(shell, store):
    listed = shell.run_line_magic("threadkeep", store)
    assert {info.id for info in listed} == {"trip", "other"}
    text = shown(shell, listed)
    assert "A &lt;b&gt;week&lt;/b&gt;" in text
    assert "of bob" in text
    assert "2 sessions" in text
    ran = shell.run_cell("memory.session('trip').items()[0].text")
    assert ran.result == "I live in Oslo"
    assert [info.id for info in shell.run_cell("%threadkeep").result] == [i.id for i in listed]


def test_another_store_closes_the_first_and_a_wrong_url_keeps_it(shell, store):
    shell.run_line_magic("threadkeep", store)
    first = shell.user_ns["memory"]
    with pytest.raises(ConfigError):
        shell.run_line_magic("threadkeep", "nonsense://x")
    assert shell.user_ns["memory"] is first
    assert len(first.sessions()) == 2
    shell.run_line_magic("threadkeep", "'memory://'")
    with pytest.raises(BackendError):
        first.sessions()


def test_unloaded_it_is_gone_and_its_store_closed(shell, store):
    shell.run_line_magic("threadkeep", store)
    memory = shell.user_ns["memory"]
    shell.run_line_magic("unload_ext", "threadkeep")
    assert "threadkeep" not in shell.magics_manager.magics["line"]
    with pytest.raises(BackendError):
        memory.sessions()


def test_a_user_shows_what_is_known_and_their_sessions(shell, store):
    with connect(store) as memory:
        ada = memory.user("ada")
        ada.facts.add("Ada likes <i>tea</i>")
        ada.instructions.add("Answer briefly")
        ada.facts.add("Ada likes green", status="quarantined")
        text = shown(shell, ada)
        assert "Ada likes &lt;i&gt;tea&lt;/i&gt;" in text
        assert "Answer briefly" in text
        assert "A &lt;b&gt;week" in text
        assert "of bob" not in text
        refused = shown(shell, ada.refused())
        assert "fact quarantined: unconfirmed" in refused
        report = shown(shell, ada.forget())
        assert "1 session among them" in report
        assert "backups" in report
    assert "of reach" not in ForgetReport(0)._repr_html_()


def test_a_window_says_what_it_leaves_out(shell):
    with connect("memory://") as memory:
        chat = memory.session("chat")
        chat.add(*({"role": ("user", "assistant")[n % 2], "content": f"w {n}"} for n in range(9)))
        window = chat.window(max_messages=3)
        counts = ", ".join(f"{n} by {why}" for why, n in window.left_out.counts.items())
        assert counts
        assert f"left out: {counts}" in shown(shell, window)
        assert "over the budget" in shown(shell, chat.window(max_tokens=1))


class Tags(html.parser.HTMLParser):
    """The tags and attributes of a text, as Python's own parser reads them."""

    def __init__(self, text):
        super().__init__()
        self.seen, self.data = set(), ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen |= {tag, *(f"{tag} {name}" for name, _ in attrs)}

    def handle_data(self, data):
        self.data += data


@settings(max_examples=200)
@given(
    st.lists(
        st.lists(
            st.builds(
                Cell,
                st.text(max_size=20) | st.just("</td><script>x</script><img onerror=x>"),
                st.booleans(),
                st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=2),
            ),
            max_size=3,
        ),
        max_size=3,
    ),
    st.text(max_size=20),
)
def test_a_table_has_no_markup_but_its_own(rows, note):
    tags = Tags(table(rows, note))
    assert tags.seen <= {"table", "tr", "td", "td style", "details", "summary", "small"}
    assert not {"\x1b", "\u202e", "\u200b", "\0"} & set(tags.data)
