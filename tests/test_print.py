"""A page printed from the browser: nothing guides but the text, nothing is cut, paper is white."""

import base64
import io
import re

import pypdf
import pytest

from marks import EVERY_LOOK
from sheets import bare

PAGES = (
    "05-expectation-and-sampling",
    "12-ppo",
    "17-practice-on-trial",
    "ledger",
    "estimators-at-a-glance",
)
DARK = PAGES[0]  # has code, verdicts, figures, a moving one and solutions
COLUMN = 658  # pixels: the 174 mm between the margins of A4
A4 = {"paperWidth": 8.27, "paperHeight": 11.69}
CUT = """
(() => {
  const page = document.querySelector(".bd-article"), found = [];
  const edge = page.getBoundingClientRect().right + 1;
  for (const one of page.querySelectorAll("pre, table, div.math, mjx-math, img, figure svg, p")) {
    const box = one.getBoundingClientRect();
    const hidden = one.matches("pre") && one.scrollWidth > one.clientWidth + 1;
    if (box.width && (box.right > edge || hidden)) found.push(one.textContent.slice(0, 60));
  }
  for (const one of page.querySelectorAll(".cell_input, .highlight")) {
    const style = getComputedStyle(one);
    const seen = parseFloat(style.borderLeftWidth) || style.overflowX !== "visible";
    if (seen) found.push(`a frame that may be left empty: ${one.className}`);
  }
  return found;
})()
"""


def printed(page) -> list:
    """The sheets that a page prints."""
    answer = page.send("Page.printToPDF", timeout=300, preferCSSPageSize=True, **A4)
    return pypdf.PdfReader(io.BytesIO(base64.b64decode(answer["data"]))).pages


def cut(page) -> list[str]:
    """What a sheet has no room for, or what would leave an empty frame behind."""
    page.send("Emulation.setEmulatedMedia", media="print")
    found = page.evaluate(CUT)
    page.send("Emulation.setEmulatedMedia", media="")
    return found


COLOUR = re.compile(rb"[\d.]+ [\d.]+ [\d.]+ (?:rg|RG)\b")


def drawn(sheets) -> set[bytes]:
    """The colours in which sheets are drawn; where they break may differ between two prints."""
    return {one for sheet in sheets for one in COLOUR.findall(sheet.get_contents().get_data())}


def dark(page) -> None:
    """Give a page the dark theme."""
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.evaluate("Promise.all(document.getAnimations().map(one => one.finished)).then(() => true)")


def shown(page) -> list[str]:
    """Lines of code that are seen on the page, solutions open."""
    return page.evaluate(
        "[...document.querySelectorAll('.bd-article pre')].filter(e => !e.closest('details'))"
        ".flatMap(e => e.textContent.split('\\n'))"
    )


def lost(lines: list[str], texts: list[str]) -> list[str]:
    """Those that are not on the sheets."""
    text = bare("".join(texts))
    return [line for line in lines if bare(line) not in text]


@pytest.mark.site
@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES[::EVERY_LOOK])
def test_a_printed_page(browser, site, name):
    page = browser.open(site / "book" / f"{name}.html", width=COLUMN)
    try:
        assert cut(page) == []
        sheets = printed(page)
        lines = shown(page)
        texts = {  # to read a sheet takes long: all where code is looked for, or else some
            number: sheets[number - 1].extract_text()
            for number in range(1, len(sheets) + 1, 1 if lines else 7)
        }
        title = page.evaluate("document.querySelector('.bd-article h1').innerText")
        assert bare(title.rstrip("#")) in bare(texts[1])
        assert not re.search(r"Search|Next|Previous|Print|Skip to main", texts[1])
        for number, text in texts.items():
            assert "Policy Gradients, Checked" in text and str(number) in text
        assert lost(lines, list(texts.values())) == []
        if name == DARK:
            dark(page)
            assert drawn(printed(page)) == drawn(sheets)
            assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    finally:
        page.close()


@pytest.mark.site
@pytest.mark.browser
def test_the_looks_see_what_is_cut_lost_or_dark(browser, site, tmp_path):
    code = "line = 1\nx = '" + "long" * 60 + "'"
    body = (
        '<html data-theme="light"><style>html[data-theme="dark"] p { color: #123456 }</style>'
        f'<article class="bd-article"><h1>A</h1><p>b</p><pre>{code}</pre>'
        '<div class="cell_input" style="border: 1px solid">c</div>'
        '<pre style="height: 0; overflow: hidden">unseen = 2</pre></article></html>'
    )
    (tmp_path / "page.html").write_text(body, encoding="utf-8")
    page = browser.open(tmp_path / "page.html", width=COLUMN)
    found = cut(page)
    assert code[:60] in found
    assert "a frame that may be left empty: cell_input" in found
    sheets = printed(page)
    assert "unseen = 2" in lost(shown(page), [sheet.extract_text() for sheet in sheets])
    dark(page)
    assert drawn(printed(page)) != drawn(sheets)
    page.close()


@pytest.mark.site
def test_the_button_that_prints_says_so(site):
    text = (site / "book/index.html").read_text(encoding="utf-8")
    button = re.search(r'<button onclick="window\.print\(\)".*?</button>', text, re.DOTALL)[0]
    assert "print this page" in button and ".pdf" not in button
