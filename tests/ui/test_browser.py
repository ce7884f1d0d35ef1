"""The pages in a real browser: what can be read, hostile content, and the keyboard alone."""

from __future__ import annotations

from urllib.parse import quote

import pytest

HOSTILE = (
    "<script>document.title='taken'</script>"
    "<img src=x onerror=\"document.title='taken'\"> <b>bold</b> [x](javascript:alert(1)) "
    "</pre></textarea></title><svg onload=alert(1)> {{ 7*7 }} {% raw %} ' \" & "
    "\u202egnp.exe \x1b[31mred\x1b]0;title\x07 \u200bjoined"
)
ODD_ID = '../<i>"x"</i>?a=b&c#d%2F/..'


def test_the_pages_of_a_session(open_pages, trip, browser):
    browser.open(f"{open_pages}/")
    assert "A week in Lisbon" in browser.text()
    browser.follow(lambda: browser.evaluate("document.querySelector('tbody a').click()"))
    text = browser.text()
    assert "TP761 is the cheapest." in text
    assert "calls search_flights" in text
    assert '"to": "LIS"' not in text  # folded
    browser.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    assert '"to": "LIS"' in browser.text()
    assert '{"flights": ["TP761"]}' in browser.text()
    browser.follow(
        lambda: browser.evaluate("document.querySelector('a[href$=\"#learned\"]').click()")
    )
    text = browser.text()
    assert "Ada is allergic to nuts" in text
    assert "Answer briefly" in text
    assert browser.faults == []


@pytest.fixture
def hostile(memory):
    """Everything that somebody else may have written, with markup, codes and odd ids."""
    user = f"mallory {HOSTILE}"[:200]
    chat = memory.session(ODD_ID, user=user, agent=HOSTILE[:60], metadata={HOSTILE: HOSTILE})
    items = chat.add(
        {"role": "user", "content": HOSTILE, "name": HOSTILE[:60]},
        {
            "role": "assistant",
            "content": HOSTILE,
            "tool_calls": [
                {
                    "id": "c",
                    "type": "function",
                    "function": {"name": HOSTILE, "arguments": HOSTILE},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c", "content": HOSTILE},
        {"role": HOSTILE[:40], "content": HOSTILE, "id": ODD_ID, "model": HOSTILE},
        format="openai-chat",
    )
    chat.update(title=HOSTILE)
    chat.files.add({"url": "javascript:alert(1)", "name": HOSTILE})
    person = memory.user(user)
    person.facts.add(HOSTILE, sources=[(ODD_ID, items[0])])
    person.facts.add(f"{HOSTILE}!", status="quarantined")
    person.instructions.add(HOSTILE, sources=[(ODD_ID, items[0])])
    return user


def visit_all(browser, url, start="/"):
    """Follow all links of the pages, as far as they go; gives each page's path and DOM."""
    waiting, visited = [start], set()
    while waiting:
        path = waiting.pop()
        browser.open(url + path)
        visited.add(path)
        yield path
        links = browser.evaluate("[...document.links].map(a => a.getAttribute('href'))")
        for link in links:
            assert link.startswith(("/", "#")), link
            page = link.partition("#")[0]
            if page and page not in visited and page not in waiting:
                waiting.append(page)


@pytest.mark.proves("D19")
def test_hostile_content_is_text_on_every_page(open_pages, hostile, browser):
    paths = []
    for path in visit_all(browser, open_pages):
        paths.append(path.partition("?")[0])
        assert browser.evaluate("document.title") != "taken", path
        foreign = browser.evaluate(
            "document.querySelectorAll('script, b, i, svg:not(.chart), img:not(.brand img), "
            "iframe, object, embed, base, [style], [onerror], [onload]').length"
        )
        assert foreign == 0, path
        dom = browser.dom()
        assert not {"\u202e", "\x1b", "\u200b", "\x07"} & set(dom), path
        assert "49" not in browser.evaluate("document.title"), path
    assert {"/", "/session", "/item", "/users"} <= set(paths)
    assert browser.faults == []


def test_an_odd_id_leads_to_its_session(open_pages, hostile, browser):
    browser.open(f"{open_pages}/session?id={quote(ODD_ID, safe='')}")
    assert ODD_ID in browser.text()
    assert "<script>document.title='taken'</script>" in browser.text()
    assert "\\u202egnp.exe \\x1b[31mred" in browser.text()


def focused(browser):
    """What has the focus: its tag and its text or name; and whether that can be seen."""
    return browser.evaluate(
        "(() => { const e = document.activeElement, s = getComputedStyle(e); return ["
        "e.tagName, (e.innerText || e.name || '').trim(), s.outlineStyle != 'none'] })()"
    )


def tab_to(browser, text):
    """Press Tab until something has the focus, which can be seen all the way."""
    for _ in range(60):
        browser.press("Tab")
        tag, name, is_visible = focused(browser)
        assert tag == "BODY" or is_visible, (tag, name)
        if name == text:
            return
    raise AssertionError(f"Tab does not lead to {text}")


@pytest.mark.proves("D19")
def test_the_keyboard_alone_is_enough(open_pages, trip, memory, browser):
    memory.session("other", user="bob").add("Hi")
    browser.open(f"{open_pages}/")
    browser.press("Tab")
    assert focused(browser)[1] == "Skip to the content"
    tab_to(browser, "q")
    browser.type("lisbon")
    browser.follow(lambda: browser.press("Enter"))
    assert "other" not in browser.text()
    tab_to(browser, "A week in Lisbon")
    browser.follow(lambda: browser.press("Enter"))
    tab_to(browser, "calls search_flights")
    browser.press("Enter")
    assert '"to": "LIS"' in browser.text()


def test_every_field_has_a_label_and_every_page_a_heading(open_pages, trip, browser):
    for path in visit_all(browser, open_pages):
        unnamed = browser.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')]"
            ".filter(e => !e.labels.length).length"
        )
        assert unnamed == 0, path
        assert browser.evaluate("document.querySelectorAll('h1').length") == 1, path
        assert browser.evaluate("document.documentElement.lang") == "en"


def test_a_narrow_window_needs_no_sideways_scrolling(open_pages, trip, browser):
    browser.size(360, 700)
    try:
        for path in visit_all(browser, open_pages):
            assert browser.evaluate("document.documentElement.scrollWidth") <= 360, path
    finally:
        browser.size(1100, 800)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(open_pages, trip, browser, scheme):
    """At least 4.5 to 1, as WCAG 2.2 AA asks, for all texts of all pages."""
    browser.colours(scheme)
    for path in visit_all(browser, open_pages):
        assert browser.evaluate(CONTRAST) == [], path


CONTRAST = """
(() => {
  const channels = c => c.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = e => {
    for (; e; e = e.parentElement) {
      const c = channels(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const faults = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || e.closest('svg')) continue;
    const [a, b] = [light(channels(getComputedStyle(e).color)), light(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faults.push([e.className || e.tagName, ratio]);
  }
  return faults;
})()
"""
