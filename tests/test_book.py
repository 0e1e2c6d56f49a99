"""The form of the book: the parts of a chapter, and the pages that lead through it."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

from policygrad.estimators import discounts, reinforce_gradients, returns, rewards_to_go
from policygrad.exact import (
    action_values,
    enumerate_trajectories,
    occupancy,
    policy_gradient,
    state_values,
)
from policygrad.policies import score, softmax_policy
from policygrad.sampling import sample_trajectories
from policygrad.worlds import random_mdp

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
CHAPTERS = sorted(BOOK.glob("[0-9][0-9]*-*.ipynb"))[1:]  # 00 is the whole story in one sitting
APPENDIX = sorted(BOOK.glob("[a-z]-*.ipynb"))
BACK_PAGES = ("symptoms", "ledger", "source-map", "notation", "glossary", "references")


def cells(path, kind):
    return [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == kind]


def prose(path):
    return "\n\n".join(cell.source for cell in cells(path, "markdown"))


def words(path):
    """How many words of prose a page has: no formulas, no code, no directives, no exercises."""
    text = prose(path)
    for cut in (
        r"^(:::+|```+)\{(exercise|solution)[\s\S]*?^\1\s*$",
        r"^\$\$\n[\s\S]*?^\$\$.*$",
        r"\$[^$]*\$",
        r"^(:\w[\w-]*:|\(\S+\)=|:::|```).*$",
        r"\{[\w:-]+\}`[^`]*`",
        r"<[^>]+>",
        r"\]\([^)]*\)",
    ):
        text = re.sub(cut, " ", text, flags=re.MULTILINE)
    return len(re.findall(r"[A-Za-z0-9][\w'’.-]*", text))


def test_words_are_counted_as_a_reader_would(tmp_path):
    page = nbformat.v4.new_notebook()
    text = "# A title\n\nIt is $x+y$ long, see {eq}`eq-a` and [here](there).\n\n$$\na\n$$ (eq-a)\n"
    text += "\n:::{exercise} Long\n:label: ex-b\n\nMany words.\n:::\n"
    page.cells = [nbformat.v4.new_markdown_cell(text), nbformat.v4.new_code_cell("not = counted")]
    nbformat.write(page, tmp_path / "a.ipynb")
    assert words(tmp_path / "a.ipynb") == len("A title It is long see and here".split())


def test_there_are_chapters_to_test():
    assert CHAPTERS[0].stem.startswith("01-")
    assert APPENDIX


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_a_chapter_has_all_its_parts(path):
    text = prose(path)
    for part in (
        ":class: contract",
        "**The question.**",
        "**You need**",
        "**You will be able to**",
        "**Source line",
        "## What we now know",
        "## Try it",
        "## Exercises",
    ):
        assert part in text, part
    exercises = re.findall(r"\{exercise\}.*\n:label: (\S+)", text)
    solutions = re.findall(r"\{solution-start\} (\S+)\n(?::label: \S+\n)?:class: dropdown", text)
    assert len(exercises) >= 3
    assert solutions == exercises
    assert text.count("{solution-end}") == len(solutions)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_a_chapter_ends_with_three_things_to_try_and_three_kinds_of_exercise(path):
    trying = prose(path).split("## Try it")[1].split("## Exercises")[0].lower()
    for kind in ("predict", "break it", "write it yourself"):
        assert kind in trying, kind
    titles = re.findall(r"\{exercise\} (.*)", prose(path))
    for kind in ("Warm-up: ", "In code: ", "Proof: "):
        assert any(title.startswith(kind) for title in titles), kind


@pytest.mark.parametrize("path", APPENDIX, ids=lambda p: p.stem)
def test_an_appendix_page_says_what_it_answers_and_what_it_needs(path):
    for part in ("class: contract", "**The question.**", "**You need**", "**You will be able to**"):
        assert part in prose(path), part


def test_the_main_path_is_short_enough_to_be_finished():
    """Words of prose before chapter 9 runs the algorithm; no exercises, formulas or code."""
    assert words(BOOK / "00-start-here.ipynb") <= 1200
    assert sum(map(words, CHAPTERS[:8])) <= 11_000


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_every_solution_runs_a_check(path):
    inside, checked = False, 0
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            for start, end in re.findall(r"(\{solution-start\})|(\{solution-end\})", cell.source):
                if end:
                    assert checked, cell.source
                inside, checked = bool(start), 0
        elif inside:
            checked += sum("policygrad" in o.get("metadata", {}) for o in cell.outputs)


# --- the source map ------------------------------------------------------------------------------

ROWS = [f"s{n}" for n in range(1, 26)] + [f"l{n}" for n in range(1, 9)]
BACK_MATTER = {name: (ROOT / "book" / f"{name}.md").read_text("utf-8") for name in BACK_PAGES}
CHAPTER_TEXTS = {path.stem: prose(path) for path in CHAPTERS}


def claimed(text):
    """The rows that a chapter's contract names."""
    line = re.search(r"\*\*Source lines?\*\* (.*?)\n:::", text, re.DOTALL)[1]
    return {row.lower() for row in re.findall(r"\b[SL]\d+\b", line)}


def lost_rows(chapters, source_map):
    """Everything that keeps a reader from going from a row to its section and back, in words."""
    found, places = [], {}
    for name, text in chapters.items():
        for match in re.finditer(r"^\(([sl]\d+)\)=\n", text, re.MULTILINE):
            row = match[1]
            places.setdefault(row, []).append((name, match.start()))
            section = re.match(r"(?:\(.*\)=\n)*#+ .*\n(?:[^#].*\n|\n)*", text[match.start() :])
            if section is None:
                found.append(f"{row} in {name} stands before no heading")
            elif f"[{row.upper()}](map-{row})" not in section[0]:
                found.append(f"the section of {row} in {name} does not lead back")
            if row not in claimed(text):
                found.append(f"the contract of {name} does not name {row}")
    found += [
        f"{row} has {len(places.get(row, []))} sections"
        for row in ROWS
        if len(places.get(row, [])) != 1
    ]
    order = [places[row][0] for row in ROWS if row in places and row.startswith("s")]
    if order != sorted(order):
        found.append("the rows are not met in the order of the source")
    for row in [*ROWS, "s26"]:
        entry = re.search(
            rf"^\(map-{row}\)=\n\*\*{row.upper()}\.\*\* (.*?)\n\n", source_map, re.M | re.S
        )
        if entry is None:
            found.append(f"the map has no entry {row}")
        elif row in ROWS and f"]({row})" not in entry[1]:
            found.append(f"the entry {row} does not lead to its section")
    for name, text in chapters.items():
        line = re.search(rf"^\| \[\]\({name}\) \| (.*) \|$", source_map, re.MULTILINE)
        listed = {row.lower() for row in re.findall(r"\b[SL]\d+\b", line[1])} if line else set()
        if listed != claimed(text):
            found.append(f"the map lists {sorted(listed)} for {name}, not {sorted(claimed(text))}")
    return found


def test_every_line_of_the_source_resolves_both_ways():
    assert lost_rows(CHAPTER_TEXTS, BACK_MATTER["source-map"]) == []


@pytest.mark.parametrize(
    ("pattern", "by", "says"),
    [
        (r"^\(s12\)=\n", "", "s12 has 0 sections"),
        (r"^\(s12\)=\n", "(s11)=\n", "s11 has 2 sections"),
        (r"\[S4\]\(map-s4\)", "S4", "the section of s4 in .* does not lead back"),
        (r"\bL5\b", "L4", "the contract of .* does not name l5"),
    ],
)
def test_a_row_that_loses_its_section_is_noticed(pattern, by, says):
    changed = {n: re.sub(pattern, by, t, flags=re.MULTILINE) for n, t in CHAPTER_TEXTS.items()}
    assert re.search(says, "\n".join(lost_rows(changed, BACK_MATTER["source-map"])))


def test_an_entry_that_is_taken_out_of_the_map_is_noticed():
    for row in ("s9", "l8", "s26"):
        changed = BACK_MATTER["source-map"].replace(f"(map-{row})=", "")
        assert f"the map has no entry {row}" in lost_rows(CHAPTER_TEXTS, changed)
    swapped = BACK_MATTER["source-map"].replace("](s9)", "](s10)")
    assert "the entry s9 does not lead to its section" in lost_rows(CHAPTER_TEXTS, swapped)


# --- notation, glossary, references --------------------------------------------------------------


def test_the_shapes_in_the_table_of_letters_are_those_of_the_package():
    S, A, O, H, m = 5, 3, 4, 2, 7
    rng = np.random.default_rng(0)
    fixed, endless = (
        random_mdp(rng, S, A, O=O, horizon=horizon, absorbing=1, gamma=1.0) for horizon in (H, None)
    )
    theta, gamma = rng.normal(size=(O, A)), 0.9
    pi = softmax_policy(theta)
    tau, every = sample_trajectories(fixed, pi, m, rng), enumerate_trajectories(fixed)
    arrays = {
        "P[s, a, s']": fixed.P,
        "R[s, a, s']": fixed.R,
        "mu[s]": fixed.mu,
        "observe[s]": fixed.observe,
        "theta[o, a]": theta,
        "pi[o, a]": pi,
        "score(theta)[o, a]": score(theta),
        "states": tau.states,
        "actions": tau.actions,
        "rewards": tau.rewards,
        "returns(tau, gamma)": returns(tau, gamma),
        "rewards_to_go(tau, gamma)": rewards_to_go(tau, gamma),
        "discounts(tau, gamma)": discounts(tau, gamma),
        "state_values(mdp, pi)": (state_values(endless, pi), state_values(fixed, pi)),
        "action_values(mdp, pi)": (action_values(endless, pi), action_values(fixed, pi)),
        "occupancy(mdp, pi)": (occupancy(endless, pi), occupancy(fixed, pi)),
        "policy_gradient(mdp, theta)": policy_gradient(fixed, theta),
        "reinforce_gradients(...)[i]": reinforce_gradients(fixed, theta, tau),
        ".mean(axis=0)": reinforce_gradients(fixed, theta, tau).mean(axis=0),
    }
    sizes = {"S": S, "A": A, "O": O, "H": H, "m": m}
    seen = set()
    for line in BACK_MATTER["notation"].splitlines():
        columns = [column.strip() for column in line.strip("|").split(" | ")]
        if len(columns) != 4 or not columns[3].strip(" |"):
            continue
        shapes = [eval(shape, {}, sizes) for shape in re.findall(r"\([^)]*\)", columns[3])]
        for name in (names := re.findall(r"`([^`]+)`", columns[2])):
            if name == "probability(pi)":  # one for each trajectory that is listed
                assert every.probability(pi).shape == (len(every),)
                assert shapes == [(m,)]
                continue
            found = arrays[name]
            found = [x.shape for x in (found if isinstance(found, tuple) else (found,))]
            assert found == (shapes if len(names) == 1 else [shapes[names.index(name)]]), line
            seen.add(name)
    assert seen == set(arrays)


def test_the_glossary_is_in_alphabetical_order_and_names_each_term_once():
    terms = re.findall(r"^(\S.*)\n  \S", BACK_MATTER["glossary"], re.MULTILINE)
    assert len(terms) > 30
    assert terms == sorted(set(terms), key=str.lower)


def test_every_reference_is_cited_and_every_citation_has_a_reference():
    entries = re.findall(
        r"^@\w+\{([^,]+),", (ROOT / "book" / "references.bib").read_text("utf-8"), re.M
    )
    pages = "\n".join(
        [prose(p) for p in (ROOT / "book").glob("*.ipynb")] + list(BACK_MATTER.values())
    )
    cited = re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", pages)
    cited = {key.strip() for keys in cited for key in keys.split(",")}
    assert len(set(entries)) == len(entries)
    assert cited == set(entries)
