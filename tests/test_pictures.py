"""What is said of a picture is what it shows; `pictures` says how that is read off."""

import re
from collections import Counter
from dataclasses import replace
from itertools import combinations

import pytest

import claims
import pictures
from pictures import COLOUR, COLOURS, Image, Picture, amiss, single

BOOK = claims.book()
SHOWN = {page: found for page, cells in BOOK.items() if (found := pictures.pictures(cells))}
EACH = [(page, i) for page, found in SHOWN.items() for i in range(len(found))]
TEXTS = [
    (page, i, name, match.start(), match.end())
    for page, i in EACH
    for name in ("alt", "caption")
    for match in COLOUR.finditer(getattr(SHOWN[page][i], name).lower())
]


@pytest.mark.parametrize("page", SHOWN)
def test_what_is_said_of_a_picture_is_what_it_shows(page):
    assert pictures.complaints(SHOWN[page]) == []


def test_no_two_pictures_have_one_alternative_text_or_caption():
    for name in ("alt", "caption"):
        texts = Counter(getattr(SHOWN[page][i], name) for page, i in EACH)
        assert len(EACH) > 20
        assert max(texts.values()) == 1


def with_alts(page, alts):
    """The pictures of a page, with other alternative texts."""
    return [replace(one, alt=alt) for one, alt in zip(SHOWN[page], alts, strict=True)]


@pytest.mark.parametrize("page", SHOWN)
def test_a_text_that_says_nothing_is_refused_for_every_picture(page):
    for text in ("A cat.", "", "A picture that shows what the text says, in a way that is clear."):
        found = pictures.complaints(with_alts(page, [text] * len(SHOWN[page])))
        assert sum("says too little" in x for x in found) == len(SHOWN[page])


@pytest.mark.parametrize("page", [page for page, found in SHOWN.items() if len(found) > 1])
def test_two_alternative_texts_of_a_chapter_that_are_exchanged_are_noticed(page):
    alts = [one.alt for one in SHOWN[page]]
    for i, j in combinations(range(len(alts)), 2):
        swapped = alts.copy()
        swapped[i], swapped[j] = alts[j], alts[i]
        found = pictures.complaints(with_alts(page, swapped))
        assert f"pictures {i + 1} and {j + 1}: the alt of one fits the other as well" in found


@pytest.mark.parametrize(("page", "i", "name", "start", "end"), TEXTS)
def test_a_colour_that_is_exchanged_for_any_other_is_noticed(page, i, name, start, end):
    one = SHOWN[page][i]
    text, was = getattr(one, name), COLOURS[getattr(one, name)[start:end].lower()]
    for colour in [*(x for x in COLOURS if COLOURS[x] != was), "red", "purple"]:
        changed = replace(one, **{name: f"{text[:start]}{colour}{text[end:]}"})
        assert single(changed), changed


@pytest.mark.parametrize(("page", "i"), EACH)
def test_a_number_that_no_picture_has_is_noticed(page, i):
    one = SHOWN[page][i]
    for name in ("alt", "caption"):
        text = getattr(one, name)
        for other in (text + " There it is 1234.5.", re.sub(r"(?<![\w.])\d+", "1234567", text)):
            if other != text:
                assert any("1234" in what for what in single(replace(one, **{name: other})))


# --- reading a picture ---------------------------------------------------------------------------

XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'
SVG = f"""<svg xmlns="http://www.w3.org/2000/svg" {XLINK}>
 <g id="figure_1"><g id="axes_1">
  <g id="matplotlib.axis_1"><g id="text_1"><!-- 0.25 --><g style="fill: #1a1a1a"/></g></g>
  <g id="line2d_1"><path d="M 0 0 L 5 5 L 9 9" style="fill: none; stroke: #1a1a1a"/></g>
  <g id="line2d_2">
   <path d="M 0 0 L 5 9 L 9 0" style="fill: none; stroke-dasharray: 2,1; stroke: #009e73"/></g>
  <g id="line2d_3"><defs><path id="m1" d="M 0 3 C 1 3 2 3 3 3 z" style="stroke: #e69f00"/></defs>
   <use xlink:href="#m1" x="1" y="1" style="fill: #0072b2; stroke: #0072b2"/></g>
  <g id="patch_1"><path d="M 0 0 L 1 0 L 1 1 z" style="fill: #d55e00"/></g>
  <g id="patch_2"><path d="M 0 0 L 1 0 L 1 1 L 0 1 z" style="fill: #e69f00"/></g>
  <g id="patch_3"><path d="M 0 0 C 1 3 2 3 3 3 z" style="fill: none; stroke: #8c8c8c"/></g>
  <g id="legend_1"><g id="line2d_4"><path d="M 0 0 L 1 0" style="fill: none; stroke: #1a1a1a"/></g>
   <g id="text_2"><!-- exact --><g style="fill: #1a1a1a"/></g>
   <g id="line2d_5"><use xlink:href="#m1" style="fill: #0072b2; stroke: #0072b2"/></g>
   <g id="text_3"><!-- measured, twice --><g style="fill: #1a1a1a"/></g></g>
 </g></g></svg>"""
ONE = Picture("", "", Image(SVG), ())


def test_what_is_drawn_is_read_off_with_its_kind_colour_and_dashes():
    assert {x for x in ONE.image.drawn if x[1] != "none"} == {
        ("line", "#1a1a1a", False),
        ("curve", "#009e73", True),
        ("round", "#0072b2", False),
        ("area", "#d55e00", False),
        ("area", "#e69f00", False),
        ("tip", "#d55e00", False),
        ("ring", "#8c8c8c", False),
    }
    assert ONE.image.legend == {"exact": "#1a1a1a", "measured, twice": "#0072b2"}
    assert ONE.image.texts == ["0.25", "exact", "measured, twice"]
    assert {"exact", "measured", "twice", "dashed", "blue", "0.25"} <= ONE.image.words


@pytest.mark.parametrize(
    "text",
    [
        "An uncoloured line, a dashed green curve, blue dots and a vermillion bar at 0.25.",
        "An orange-red bar. “exact” is uncoloured, and measured, twice is blue.",
        "The line crosses what is exact. There is a grey ring.",
        "It is named Q-shaped, and there.",
    ],
)
def test_what_a_picture_shows_may_be_said(text):
    assert amiss(text, ONE) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("A green line.", "no line in the picture is green"),
        ("An uncoloured curve.", "no curve in the picture is uncoloured"),
        ("A solid green curve.", "no curve in the picture is solid green"),
        ("A dashed uncoloured line.", "no line in the picture is dashed uncoloured"),
        ("Blue squares.", "no square in the picture is blue"),
        ("Vermillion dots.", "no dot in the picture is vermillion"),
        ("An orange arrow.", "no arrow in the picture is orange"),
        ("An uncoloured ring.", "no ring in the picture is uncoloured"),
        ("A grey disc.", "no disc in the picture is grey"),
        ("A red line.", "no line in the picture is red"),
        ("It is 0.26 high.", "0.26 stands neither in the picture nor in an output"),
        ("It is 17 high.", "17 stands neither in the picture nor in an output"),
        ("It is minus 0.25.", "-0.25 stands neither in the picture nor in an output"),
        ("It is called “exakt”.", "the picture has no text 'exakt'"),
        ("Beside it stands PPO.", "the picture has no text 'PPO'"),
        ("What is measured, twice is uncoloured.", "the legend has another colour than uncoloured"),
    ],
)
def test_what_a_picture_does_not_show_is_named(text, says):
    assert says in "\n".join(amiss(text, ONE))


def test_a_chapter_that_a_picture_does_not_name_is_noticed():
    one = replace(ONE, image=Image(SVG.replace("<!-- exact -->", "<!-- ch. 3 -->")))
    assert amiss("From chapter 3 on.", one) == []
    assert amiss("From chapter 4 on.", one) == ["the picture has no chapter 4"]


def test_a_text_that_names_a_colour_names_all_bright_ones():
    words = "an exact line that is uncoloured and goes from the one corner up to the other, "
    some = replace(ONE, alt=f"{words} with blue dots and a vermillion bar or orange")
    assert single(some) == ["alt: it names some colours, and not green"]
    assert single(replace(ONE, alt=f"{words} green, blue, vermillion, orange")) == []
    assert single(replace(ONE, alt=words.replace("uncoloured", "bold"))) == []
