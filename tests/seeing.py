"""How a page looks to those who read it otherwise: by keyboard, by ear, enlarged, on a phone.

`look_at` opens a page once and asks all of it, in three widths and both schemes: axe-core, and a
few questions that axe does not ask.  Each question is a piece of JavaScript that names what is
wrong; a page without fault gives empty lists.
"""

from __future__ import annotations

import json
from pathlib import Path

AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1.min.js"
WIDE, TABLET, PHONE = 1280, 768, 390
LOCAL = ("file:", "data:", "blob:")
# What axe finds by other rules than these does not depend on the colours.
OF_COLOUR = ("color-contrast", "link-in-text-block")
# While axe looks, a box stands for each formula, whose hundreds of elements it would all weigh: as
# large, at the same place, with a letter in the first of each kind and in heads of rows and links;
# `FORMULAS` asks whether the others have the colour of their text, and what is in them. Of a table
# it weighs twelve rows, of the ledger's, whose rows are all of one make, two.
RUN = """(async () => {
  const formulas = [...document.querySelectorAll('mjx-container')], kinds = new Set();
  const boxes = formulas.map(e => (e.querySelector('mjx-math') || e).getBoundingClientRect());
  const inside = formulas.map(e => [...e.childNodes]);
  formulas.forEach((e, i) => {
    const box = document.createElement('span'), {width, height} = boxes[i];
    box.style.cssText = `display: inline-block; overflow: hidden; vertical-align: middle;
      width: ${width}px; height: ${height}px`;
    const block = e.parentElement.closest('p, li, dd, dt, td, th, figcaption, div');
    const kind = [e, e.parentElement, block, block?.parentElement]
      .map(x => x ? x.tagName + x.className : '').join();
    box.textContent = kinds.has(kind) && !e.closest('th, a') ? '' : 'x';
    kinds.add(kind);
    e.replaceChildren(box);
  });
  const rows = [...document.querySelectorAll(
    'article tbody tr:nth-child(n + 13), table.ledger tbody tr:nth-child(n + 3)')];
  const tables = rows.map(row => row.parentElement);
  rows.forEach(row => row.remove());
  const {violations} = await axe.run(document, %s);
  rows.forEach((row, i) => tables[i].append(row));
  formulas.forEach((e, i) => e.replaceChildren(...inside[i]));
  return violations.flatMap(rule => rule.nodes.map(node => [
    rule.id, node.target.join(' '), node.html.slice(0, 160),
    ...[...node.any, ...node.all, ...node.none].map(check => check.message)].join(' | ')));
})()"""
# Of the words in code one of each kind is weighed; what the others look like is the same.
ONE_OF_EACH = """{
  const kinds = new Set();
  for (const word of document.querySelectorAll('article pre span[class]')) {
    const kind = word.className + word.closest('.highlight, .output, pre').className;
    if (kinds.has(kind) && !word.children.length) word.replaceWith(word.textContent);
    kinds.add(kind);
  }
}"""

# What can be seen of an element, and the colours that it is seen on.
HELP = """
const seen = e => e.checkVisibility({visibilityProperty: true, opacityProperty: true})
  && e.getBoundingClientRect().width > 1; // what is there for the ear alone has a pixel
const named = e => e.tagName.toLowerCase() + [...e.classList].map(c => '.' + c).join('')
  + ' ' + e.textContent.trim().slice(0, 30);
const rgb = c => (c.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
const light = c => rgb(c).slice(0, 3).map(x => x / 255)
  .map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
  .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
const contrast = (a, b) => {
  const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};
const ground = e => {
  for (; e; e = e.parentElement) {
    const colour = getComputedStyle(e).backgroundColor;
    if ((rgb(colour)[3] ?? 1) > 0.5) return colour;
  }
  return 'rgb(255, 255, 255)';
};
"""

SIDEWAYS = """document.documentElement.scrollWidth > document.documentElement.clientWidth
  ? [...document.querySelectorAll('body *')].filter(e => seen(e)
      && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
      .slice(0, 5).map(e => 'out of the page: ' + named(e)) : []"""

# Where something is wider than its box: cut off, or to be scrolled, which must then be possible by
# keyboard, have a name and be shown.  What fits is no stop.
WIDE_THINGS = """[...document.querySelectorAll('main article, main article *')].flatMap(e => {
  const style = getComputedStyle(e), is = what => [what + ': ' + named(e)];
  if (style.display === 'inline' || e.closest('mjx-mml, mjx-math, span.math, svg')
    || !seen(e)) return [];
  const more = e.scrollWidth - e.clientWidth;
  if (more > 1 && ['hidden', 'clip'].includes(style.overflowX)) return is('cut off');
  const scrolls = more > 1 && ['auto', 'scroll'].includes(style.overflowX);
  if (!scrolls) return e.matches('[tabindex="0"]') && !e.matches('a, button') ? is('a stop') : [];
  if (e.tabIndex !== 0 || !e.getAttribute('role') || !e.getAttribute('aria-label'))
    return is('no stop');
  e.scrollLeft = 0;
  return [];
})"""

# A formula within a line is not wider than what it stands in, or it scrolls there.
INLINE = """[...document.querySelectorAll('article span.math')].filter(e => {
  const [drawn, box] = [e.querySelector('mjx-math') || e, e].map(x => x.getBoundingClientRect());
  const line = e.closest('p, li, dd, dt, td, th, h1, h2, h3, div').getBoundingClientRect();
  return seen(e) && (box.right > line.right + 2
    || drawn.width > box.width + 2
    && (e.tabIndex !== 0 || getComputedStyle(e).overflowX !== 'auto'));
}).map(e => 'out of its line: ' + named(e))"""

# The edge fades where there is more, at the end no longer.
FADES = """Promise.all([...document.querySelectorAll('main article [tabindex="0"]')]
  .filter(e => seen(e) && e.scrollWidth > e.clientWidth + 1).slice(0, %d).map(async e => {
    const frame = () => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)));
    const edges = () => getComputedStyle(e).maskImage;
    e.scrollLeft = 0;
    await frame();
    const first = edges();
    e.scrollLeft = 99999;
    await frame();
    const last = edges();
    e.scrollLeft = 0;
    return first !== 'none' && last !== 'none' && first !== last ? '' : 'no cue: ' + named(e);
  })).then(found => found.filter(x => x))"""

# What fits stays as it is: a size that is corrected again and again comes to no rest.
RESTLESS = """(async () => {
  const all = [...document.querySelectorAll('article span.math, article mjx-container')];
  const sizes = () => all.map(e => e.getBoundingClientRect().width);
  const before = sizes();
  for (let k = 0; k < 6; k++) await new Promise(requestAnimationFrame);
  return sizes().flatMap((size, k) => size === before[k] ? [] : ['restless: ' + named(all[k])]);
})()"""

NUMBERS = """[...document.querySelectorAll('.math > .eqno')].filter(number => {
  const a = number.getBoundingClientRect();
  const b = number.parentElement.querySelector('mjx-container').getBoundingClientRect();
  return seen(number) && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 6;
}).map(number => 'over its formula: ' + number.textContent)"""

PLACES = (SIDEWAYS, WIDE_THINGS, INLINE, NUMBERS)

# One of each kind is focused after a key was pressed, so that the browser shows it.
FOCUS = """(() => {
  const found = [], kinds = new Set();
  const places = document.querySelectorAll('a[href], button, input, summary, select, [tabindex]');
  for (const e of places) {
    const kind = [e, e.parentElement, e.closest('section, aside, nav, header, article')]
      .map(x => x ? x.tagName + x.className : '').join();
    if (e.tabIndex < 0 || kinds.has(kind) || !e.checkVisibility()) continue;
    kinds.add(kind);
    e.focus({preventScroll: true});
    if (document.activeElement !== e) continue;
    const {outlineStyle, outlineWidth, outlineColor, outlineOffset} = getComputedStyle(e);
    const on = ground(parseFloat(outlineOffset) < 0 ? e : e.parentElement);
    if (!seen(e)) found.push('unseen with focus: ' + named(e));
    else if (outlineStyle === 'none' || outlineStyle !== 'auto' && parseFloat(outlineWidth) < 2)
      found.push('focus unseen: ' + named(e));
    else if (outlineStyle !== 'auto' && contrast(outlineColor, on) < 3)
      found.push('focus too faint: ' + named(e));
  }
  document.activeElement.blur();
  return found;
})()"""

# Solutions are shut until they are asked for.
SOLUTIONS = """[...document.querySelectorAll('div.solution.dropdown > section')]
  .filter(e => (e.checkVisibility({visibilityProperty: true, opacityProperty: true})
    && e.getBoundingClientRect().height > 1) === %s)
  .map(e => 'a solution that is %s: ' + named(e))"""

CODE = """[...new Set([...document.querySelectorAll('article pre')]
  .map(e => getComputedStyle(e).fontSize))].filter((size, i, all) => i > 0 || parseFloat(size) < 12)
  .map(size => 'another size of code: ' + size)"""

CAPTIONS = """[...document.querySelectorAll('figcaption, figcaption :is(p, span)')]
  .filter(e => getComputedStyle(e).fontWeight < 400)
  .map(e => 'a faint caption: ' + named(e))"""

# What has no drawing, or the source in place of one.
BROKEN = """[...document.querySelectorAll('.math')]
  .filter(e => e.querySelectorAll('mjx-container').length !== 1
    || !e.querySelector('mjx-math') || e.querySelector('mjx-merror, code')
    || (e.checkVisibility() && !e.querySelector('mjx-math').getBoundingClientRect().width))
  .map(e => 'not typeset: ' + (e.dataset.tex || 'a formula'))"""

FORMULAS = """[...document.querySelectorAll('mjx-container')].filter(e =>
  getComputedStyle(e).color !== getComputedStyle(e.parentElement).color
  || !e.querySelector(':scope > mjx-math[aria-hidden=true]')
  || e.querySelectorAll(':scope > mjx-mml > math').length !== 1)
  .map(e => 'a formula that is not spoken once: ' + e.textContent)"""

# On a phone, in the dark: as wide as its letters need, and in colours that keep their names.
PICTURES = """[...document.querySelectorAll('article img[src$=".svg"]')].flatMap(e => {
  const least = parseFloat(e.style.getPropertyValue('--least')) || Math.min(e.naturalWidth, 360);
  const small = e.getBoundingClientRect().width < least - 1 ? ['too small: ' + e.alt] : [];
  const {filter} = getComputedStyle(e);
  const dark = filter.includes('#pg-dark') && document.getElementById('pg-dark');
  return dark ? small : [...small, 'white in the dark: ' + e.alt];
})"""


def ask(page, question: str):
    """The answer to one of the questions."""
    return page.evaluate(f"(() => {{ {HELP}; return {question}; }})()")


def scheme(page, dark: bool):
    """Switch the scheme, as the button of the page does in the end."""
    page.evaluate(f"document.documentElement.dataset.theme = '{'dark' if dark else 'light'}'")
    settle(page)


def settle(page):
    """Wait until the page has noticed its new width."""
    page.evaluate("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")


def unfold(page):
    """Open everything that is folded."""
    page.evaluate("""{
      document.querySelectorAll('.toggle-hidden .toggle-button').forEach(button => button.click());
      document.querySelectorAll('details').forEach(fold => { fold.open = true; });
    }""")


def press(page, key: str, code: int):
    """Press and release a key."""
    for kind in ("rawKeyDown", "keyUp"):
        named = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        page.send("Input.dispatchKeyEvent", type=kind, **named)


def press_tab(page):
    """Press the key once: from now on the browser shows what has the focus."""
    press(page, "Tab", 9)


def focused(page) -> list[str]:
    """What does not show that it has the focus, after a key was pressed."""
    press_tab(page)
    page.evaluate("document.activeElement.blur()")
    return ask(page, FOCUS)


def axe(page, *rules: str) -> list[str]:
    """What axe finds: rule, place, source, words; given rules, by those alone."""
    options: dict = {"resultTypes": ["violations"], "preload": False}
    if rules:
        options["runOnly"] = {"type": "rule", "values": rules}
    else:
        options["rules"] = {name: {"enabled": True} for name in ("target-size", "td-has-header")}
    return page.evaluate(RUN % json.dumps(options))


def at_width(page, width: int) -> dict[str, list]:
    """What is wrong at a width; by axe and with the focus, in both schemes, on the outer two."""
    page.resize(width)
    settle(page)
    found = {str(width): [x for question in PLACES for x in ask(page, question)]}
    for dark in (True, False) if width != TABLET else ():
        scheme(page, dark)
        where = f"{width} {'dark' if dark else 'light'}"
        found[f"axe {where}"] = axe(page, *OF_COLOUR) if dark else axe(page)
        found[f"focus {where}"] = focused(page) and focused(page)  # a busy machine may miss a key
    return found


def enlarged(page) -> list[str]:
    """What is wrong with letters twice as large, on a wide screen."""
    page.resize(WIDE)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    settle(page)
    found = [x for question in PLACES for x in ask(page, question)]
    page.evaluate("document.documentElement.style.fontSize = ''")
    return found


# What is laid out as it comes near counts as if it were near.
AT_ONCE = """{
  const style = document.createElement('style');
  style.textContent = '@media screen { article * { content-visibility: visible !important } }';
  document.head.append(style);
}"""


def opened(browser, path: Path, first=lambda page: {}) -> tuple:
    """A page with everything unfolded, and what is wrong with its folds, by question.

    ``first`` finds what is wrong while all is folded.
    """
    page = browser.open(path)
    calm = {"name": "prefers-reduced-motion", "value": "reduce"}
    page.send("Emulation.setEmulatedMedia", features=[calm])
    page.send("Emulation.setFocusEmulationEnabled", enabled=True)
    page.evaluate(AT_ONCE)
    found = {"shut": ask(page, SOLUTIONS % ("true", "open unasked"))} | first(page)
    unfold(page)
    settle(page)
    found["open"] = ask(page, SOLUTIONS % ("false", "shut when asked"))
    return page, found


def closed(page, found: dict[str, list]) -> dict[str, list]:
    """Close a page, and name all that is wrong with it, its formulas and its files too."""
    found["typeset"] = ask(page, BROKEN)
    found["errors"] = page.errors
    found["remote"] = [url for url in page.requests if not url.startswith(LOCAL)]
    page.close()
    return {name: what for name, what in found.items() if what}


def glance_at(browser, path: Path) -> dict[str, list]:
    """The least of it: folds, formulas, files, and what is wider than its place, at two widths."""
    page, found = opened(browser, path)
    for width in (WIDE, PHONE):
        page.resize(width)
        settle(page)
        found[str(width)] = [x for question in PLACES for x in ask(page, question)]
    return closed(page, found)


def folded(page) -> dict[str, list]:
    """What stands too close on a page with its folds shut, at two widths."""
    page.evaluate(AXE.read_text(encoding="utf-8") + ";0")
    found = {}
    for width in (PHONE, WIDE):
        page.resize(width)
        settle(page)
        found[f"folded {width}"] = axe(page, "target-size")
    return found


def look_at(browser, path: Path) -> dict[str, list]:
    """Open a page once and name all that is wrong with it, by question and setting."""
    page, found = opened(browser, path, folded)
    page.evaluate(ONE_OF_EACH)
    press_tab(page)
    found["enlarged"] = enlarged(page)
    for width in (WIDE, TABLET, PHONE):
        found |= at_width(page, width)
    scheme(page, True)
    found["pictures"] = ask(page, PICTURES)
    found["fades"] = ask(page, FADES % 3)
    found["rest"] = ask(page, RESTLESS)
    for name, question in (("code", CODE), ("captions", CAPTIONS), ("formulas", FORMULAS)):
        found[name] = ask(page, question)
    return closed(page, found)
