"""The list of references: author and year, as the text cites them, in the order of the authors.

The entries stand in a plain list without labels, and each says where it is cited. The slides, which
have no date and are signed with a pen name, are cited as the source that they are.
"""

from __future__ import annotations

from docutils import nodes
from pybtex.plugin import register_plugin
from pybtex.style.formatting import toplevel, unsrt
from pybtex.style.template import field as field_of
from pybtex.style.template import (
    first_of,
    join,
    names,
    optional,
    optional_field,
    sentence,
    tag,
    words,
)
from sphinxcontrib.bibtex.plugin import register_plugin as register_reference_style
from sphinxcontrib.bibtex.style.referencing import BracketStyle
from sphinxcontrib.bibtex.style.referencing.author_year import AuthorYearReferenceStyle

import numbering

SLIDES = "slides"
PAGE = "book/references"


class AuthorYear(unsrt.Style):
    """Author (year). Title. Where it appeared."""

    default_sorting_style = "author_year_title"
    default_name_style = "lastfirst"

    def begin(self, e):
        """Authors and year."""
        year = join["(", first_of[optional[field_of("year")], "n.d."], ")"]
        return sentence(sep=" ")[names("author", sep="; ", sep2=" and ", last_sep="; "), year]

    def get_article_template(self, e):
        issue = optional[join["(", field_of("number"), ")"]]
        place = optional[join[field_of("volume"), issue, ":", unsrt.pages]]
        journal = sentence[tag("em")[field_of("journal")], place]
        return self.whole(e, self.format_title(e, "title"), journal)

    def get_book_template(self, e):
        house = optional[field_of("publisher")], optional_field("address")
        return self.whole(
            e, self.format_btitle(e, "title"), sentence[(*house, self.format_edition(e))]
        )

    def get_inproceedings_template(self, e):
        pages = optional[words["pages", unsrt.pages]]
        book = words["In", tag("em")[field_of("booktitle")]]
        place = sentence[book, pages, optional_field("publisher")]
        return self.whole(e, self.format_title(e, "title"), place)

    def get_misc_template(self, e):
        return self.whole(
            e, self.format_title(e, "title"), optional[sentence[field_of("howpublished")]]
        )

    def whole(self, e, title, place):
        """A whole entry."""
        note = sentence[optional_field("note")]
        return toplevel[self.begin(e), title, place, note, self.format_web_refs(e)]


def in_text():
    """The style of citations in the text: author and year in round brackets."""
    kinds = ("textual", "parenthetical", "author", "label", "year")
    return AuthorYearReferenceStyle(
        **{f"bracket_{kind}": BracketStyle(left="(", right=")") for kind in kinds}
    )


def restyle(app, doctree, docname):
    """Write the list anew where it stands; cite the slides as the source."""
    for reference in doctree.findall(nodes.reference):
        if reference.get("refuri", "").endswith(f"#cite-{SLIDES}"):
            reference.children[:] = [nodes.Text("source")]
    citations = list(doctree.findall(nodes.citation))
    if citations:
        around, found = citations[0].parent, nodes.bullet_list("", classes=["references"])
        citations.sort(key=lambda one: (one["ids"] != [f"cite-{SLIDES}"], said(one).lower()))
        found += [entry(app, docname, citation) for citation in citations]
        around.replace_self(found)


def said(citation) -> str:
    """What a citation says behind its label."""
    return citation[-1].astext()


def entry(app, docname: str, citation) -> nodes.list_item:
    """An entry of the list, with the places that cite it."""
    item = nodes.list_item(ids=citation["ids"][:1])
    key = citation["ids"][0].removeprefix("cite-")
    item += [child for child in citation.children if not isinstance(child, nodes.label)]
    for part in item.findall(nodes.TextElement):
        for k, text in enumerate(part.children):
            if isinstance(text, nodes.Text):
                part.children[k] = nodes.Text(text.replace("; others", " and others"))
    cited = nodes.inline("", "", classes=["cited-in"])
    for k, (page, place) in enumerate(places(app.env, key).items()):
        cited += nodes.Text(" Cited in " if k == 0 else ", ")
        uri = f"{app.builder.get_relative_uri(docname, page)}#{place}"
        title = app.env.titles[page].astext()
        name = numbering.mark(page) if app.env.toc_secnumbers.get(page) else title.split(":")[0]
        cited += nodes.reference("", name, internal=True, refuri=uri, reftitle=title)
    if cited.children:
        item[-1] += cited
        cited += nodes.Text(".")
    return item


def places(env, key: str) -> dict[str, str]:
    """The pages that cite an entry, in the order of their names, each with the first place."""
    found: dict[str, str] = {}
    for one in env.get_domain("cite").citation_refs:
        if any(nodes.make_id(target.key) == key for target in one.targets):
            found.setdefault(one.docname, one.citation_ref_id)
    return dict(sorted(found.items()))


def setup(app):
    register_plugin("pybtex.style.formatting", "authoryear", AuthorYear)
    register_reference_style("sphinxcontrib.bibtex.style.referencing", "author_year_round", in_text)
    app.connect("doctree-resolved", restyle)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
