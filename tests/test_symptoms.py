"""The page of symptoms: each names a cause, with a number, and leads to the page that has both."""

import re
from pathlib import Path

import pytest

import prose

PAGE = Path(__file__).resolve().parents[1] / "book" / "symptoms.md"
LINK = re.compile(r"\[[^\]]*\]\(([\w-]+)\)")
# Which have no number of their own: what they are about is a rule, or a way of looking.
WITHOUT = {
    "The gradient is NaN or infinite",
    "The loss starts at 0 and rises",
    "Episodes never end, and the program hangs",
    "It improves up to a point and then only jitters",
    "A value-based agent walks to and fro for ever",
    "A test of my estimator fails, and the estimator is right",
    "A test of my estimator passes, and the estimator is wrong",
    "This seed works, and another does not",
}


def entries(text):
    """What is said under each heading of the third rank."""
    parts = re.split(r"^### (.+)$", text, flags=re.M)[1:]
    said = (re.split(r"^## ", part, flags=re.M)[0].strip() for part in parts[1::2])
    return dict(zip(parts[::2], said, strict=True))


ENTRIES = entries(PAGE.read_text("utf-8"))


def faults(entries):
    """What is missing, by symptom."""
    known = set().union(*(prose.names_of(path.stem) for path in prose.NOTEBOOKS))
    for name, said in entries.items():
        links = LINK.findall(said)
        if not links:
            yield f"{name}: leads nowhere"
        yield from (f"{name}: no place {link}" for link in links if link not in known)
        read = LINK.sub("", said)
        has = any(number.looks_computed for number in prose.numbers(read))
        has = has or re.search(r"\d+ of \d+", read) is not None
        if has == (name in WITHOUT):
            yield f"{name}: has a number: {has}"


def test_each_symptom_leads_to_a_place_of_the_book_and_has_a_number():
    assert not list(faults(ENTRIES))
    assert len(ENTRIES) > 40


def test_no_symptom_stands_twice():
    text = PAGE.read_text("utf-8")
    assert len(re.findall(r"^### ", text, re.M)) == len(ENTRIES)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("A number, 0.5, and no page.", "leads nowhere"),
        ("It is 0.5. See [](claim-nowhere).", "no place claim-nowhere"),
        ("Often. See [](12-ppo).", "has a number: False"),
        ("There are 2 of them. See [](12-ppo).", "has a number: False"),
    ],
)
def test_what_is_missing_is_named(said, fault):
    assert [x.partition(": ")[2] for x in faults({"KL rises": said})] == [fault]
