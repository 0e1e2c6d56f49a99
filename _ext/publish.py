"""What the book says of itself to those who find it, and what it needs to live at an address.

Always
    Each page has a description of its own (``summaries.py``), and a title that names the book once.

With ``repository.url`` in ``_config.yml``, as in ``https://HOST/OWNER/NAME``
    Buttons lead to the repository, to the source of a page, to a new issue about it and to a
    machine that runs it; pages name their one public address and show a card where they are
    shared; and the site has a map, a page for addresses that are none, and one that lists versions.
    The public address follows from that of the repository; ``html.baseurl`` overrides it.

Without the value nothing of this is there, and no page fetches anything from elsewhere either way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote, urlsplit

import yaml
from sphinx.errors import ConfigError

import summaries

CARD = "_static/card.png"
ABOUT = (
    "A derivation of policy gradients, from REINFORCE to PPO and GRPO, that you can run: every "
    "equation has a check, and every check has been seen to fail."
)
FORGES = ("github", "gitlab")  # they serve pages at an address that follows from the repository's
NOT_LISTED = ("search",)


@dataclass(frozen=True)
class Repository:
    """Where the source of the book can be seen."""

    host: str
    owner: str
    name: str

    @classmethod
    def at(cls, url: str) -> Repository:
        """Read the address of a repository; raise a ConfigError if it is none."""
        parts = urlsplit(url.strip())
        path = parts.path.strip("/").removesuffix(".git").split("/")
        if parts.scheme != "https" or not parts.netloc or len(path) != 2 or not all(path):
            raise ConfigError(
                f"repository.url in _config.yml is {url!r}; it has to be https://HOST/OWNER/NAME"
            )
        return cls(parts.netloc.lower(), *path)

    @property
    def forge(self) -> str:
        """The name of the service, the first part of its host's name."""
        return self.host.partition(".")[0]

    @property
    def url(self) -> str:
        """Address without what need not be there."""
        return f"https://{self.host}/{self.owner}/{self.name}"

    def pages(self) -> str:
        """The address at which the service publishes a site, with a slash at its end; or none."""
        if self.forge not in FORGES:
            return ""
        host = f"{self.owner.lower()}.{self.forge}.io"
        return f"https://{host}/" + ("" if self.name.lower() == host else f"{self.name}/")

    def workspace(self, branch: str) -> str:
        """The address that starts a machine with the repository on it, or nothing."""
        if self.forge != "github":
            return ""
        return f"https://{self.host}/codespaces/new/{self.owner}/{self.name}/tree/{quote(branch)}"


def repository(config) -> Repository | None:
    """The repository that the settings name; None if they name none."""
    url = config.html_theme_options.get("repository_url") or ""
    return Repository.at(url) if url.strip() else None


# --- settings -------------------------------------------------------------------------------------


def configure(app, config):
    """Derive from the one value all that Sphinx and the theme want to know.

    It is read from the file: of what Jupyter Book makes of it nothing is left where the settings
    also have options for the theme.
    """
    settings = yaml.safe_load((Path(app.srcdir) / "_config.yml").read_text(encoding="utf-8"))
    options = config.html_theme_options
    options["logo"] = {"text": config.html_title} | (options.get("logo") or {})
    named = settings.get("repository") or {}
    options["repository_url"] = named.get("url") or ""
    where = repository(config)
    if where is None:
        return
    options["repository_url"] = where.url
    options["repository_branch"] = named.get("branch") or "main"
    options["path_to_docs"] = named.get("path_to_book") or ""
    options["launch_buttons"] = settings.get("launch_buttons") or {}
    for button in ("repository", "edit_page", "issues"):
        options[f"use_{button}_button"] = True
    base = config.html_baseurl or where.pages()
    config.html_baseurl = base and base.rstrip("/") + "/"


# --- a page ---------------------------------------------------------------------------------------


def describe(app, page, template, context, doctree):
    """Give a page its description, and the index a title without the book's name twice."""
    book, title = app.config.html_title, text_of(context.get("title") or "")
    if page == app.config.root_doc:
        context["docstitle"] = ""
    words = {
        app.config.root_doc: ABOUT,
        "search": f"Search every page of {book}: words, terms, equations by their number, checks.",
    }.get(page) or summaries.summary(doctree, title, book)
    tags = [meta("name", "description", words)]
    if repository(app.config) and (base := app.config.html_baseurl):
        tags += shared(app, page, base, title or book, words)
    context["metatags"] = context.get("metatags", "") + "".join(f"\n    {tag}" for tag in tags)


def shared(app, page: str, base: str, title: str, words: str) -> list[str]:
    """The tags by which a link to a page is shown where it is shared."""
    book = app.config.html_title
    properties = {
        "og:type": "book" if page == app.config.root_doc else "article",
        "og:site_name": book,
        "og:title": title,
        "og:description": words,
        "og:url": base + app.builder.get_target_uri(page),
        "og:image": base + CARD,
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": f"{book}: an equation, the check that it passed, and a learning curve",
    }
    found = [meta("property", name, value) for name, value in properties.items()]
    return [*found, meta("name", "twitter:card", "summary_large_image")]


def meta(kind: str, name: str, content: str) -> str:
    """One tag."""
    return f'<meta {kind}="{name}" content="{escape(content)}" />'


def text_of(markup: str) -> str:
    """A title without its tags."""
    return re.sub(r"<[^>]+>", "", markup)


def add_buttons(app, page, template, context, doctree):
    """Put what the theme does not know of into its menus."""
    where = repository(app.config)
    if where is None:
        return
    branch = app.config.html_theme_options.get("repository_branch") or "main"
    groups = {group.get("label"): group for group in context.get("header_buttons", ())}
    if "source-buttons" in groups:
        groups["source-buttons"]["buttons"].append(
            {
                "type": "link",
                "url": context["pathto"]("versions.html", resource=True),
                "text": "Versions",
                "tooltip": "Other versions of this book",
                "icon": "fas fa-code-branch",
                "label": "versions-button",
            }
        )
    if (url := where.workspace(branch)) and page.startswith("book/") and doctree is not None:
        group = groups.get("launch-buttons") or launch_group(context)
        group["buttons"].append(
            {
                "type": "link",
                "url": url,
                "text": "Codespaces",
                "tooltip": "Run all chapters on a machine of your account",
                "icon": "fas fa-laptop-code",
                "label": "codespaces-button",
            }
        )


def launch_group(context) -> dict:
    """A new menu of places where a page can be run."""
    group = {
        "type": "group",
        "tooltip": "Run this book elsewhere",
        "icon": "fas fa-rocket",
        "buttons": [],
        "label": "launch-buttons",
    }
    context["header_buttons"].append(group)
    return group


# --- the site -------------------------------------------------------------------------------------

ALONE = Template("""\
<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8" />$tags
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>$title</title>
    <style>
      :root { color-scheme: light dark; }
      body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 36rem; margin: 12vh auto;
             padding: 0 1.5rem; }
      h1 { font-size: 1.6rem; line-height: 1.25; }
      a { color: light-dark(#0072b2, #62b5e5); }
      input, button { font: inherit; padding: 0.3rem 0.6rem; }
      input { width: 14rem; max-width: 100%; }
    </style>
  </head>
  <body>
    <main>
$body
    </main>
  </body>
</html>
""")


def alone(title: str, body: str, *tags: str) -> str:
    """A page that needs no file beside it."""
    inner = "\n".join(f"      {line}" for line in body.strip().splitlines())
    return ALONE.substitute(title=title, tags="".join(f"\n    {tag}" for tag in tags), body=inner)


def front(app) -> str:
    """The page at the top of the site, which leads on to the first page of the book."""
    first, book = app.builder.get_target_uri(app.config.root_doc), escape(app.config.html_title)
    tags = [f'<meta http-equiv="refresh" content="0; url={first}" />']
    tags += [meta("name", "description", ABOUT)]
    if repository(app.config) and (base := app.config.html_baseurl):
        tags += [f'<link rel="canonical" href="{base}{first}" />']
        tags += shared(app, app.config.root_doc, base, app.config.html_title, ABOUT)
    return alone(book, f'<p><a href="{first}">{book}</a></p>', *tags)


def not_found(app, base: str) -> str:
    """The page for addresses that are none: its links hold wherever it is shown."""
    top, book = escape(urlsplit(base).path), escape(app.config.html_title)
    first = app.builder.get_target_uri(app.config.root_doc)
    body = f"""
<h1>There is no such page</h1>
<p>The address may hold a slip, or the page has another name by now. Search for its words:</p>
<form action="{top}search.html" role="search">
  <label for="q">Search this book</label>
  <input id="q" name="q" type="search" /> <button>Search</button>
</form>
<p>Or begin at the start: <a href="{top}{first}">{book}</a>.</p>
"""
    return alone(f"No such page — {book}", body, '<meta name="robots" content="noindex" />')


def versions_page(book: str, names: list[str]) -> str:
    """The list of versions, the newest first, as it stands in the folder of each.

    Every version but the newest lies in a folder of its name beside the others.
    """
    items = "".join(f"\n  <li>{name}</li>" for name in names)
    body = f"<h1>Versions of this book</h1>\n<ul>{items}\n</ul>"
    return alone(f"Versions — {escape(book)}", body, '<meta name="robots" content="noindex" />')


def site_map(app, base: str) -> str:
    """The pages of the book, for those who search them for others."""
    names = sorted(name for name in app.env.found_docs if name not in NOT_LISTED)
    lines = [
        f"  <url><loc>{escape(base + app.builder.get_target_uri(n))}</loc></url>" for n in names
    ]
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">',
            *lines,
            "</urlset>\n",
        ]
    )


def finish(app, exception):
    """Write what lies beside the pages."""
    if exception is not None or app.builder.format != "html":
        return
    site = Path(app.outdir)
    files = {"index.html": front(app)}
    if repository(app.config):
        import card

        here = f'<a href="{app.builder.get_target_uri(app.config.root_doc)}">This version</a>'
        files["versions.html"] = versions_page(app.config.html_title, [here])
        if base := app.config.html_baseurl:
            files["404.html"] = not_found(app, base)
            files["sitemap.xml"] = site_map(app, base)
            files["robots.txt"] = f"User-agent: *\nAllow: /\nSitemap: {base}sitemap.xml\n"
            card.draw(site / CARD, app.config.html_title)
    for name, text in files.items():
        (site / name).write_text(text, encoding="utf-8", newline="\n")


def setup(app):
    # Before the theme, which reads the repository's address when the builder starts.
    app.connect("config-inited", configure, priority=400)
    app.connect("html-page-context", describe)
    # After the theme, which makes its menus at 501.
    app.connect("html-page-context", add_buttons, priority=502)
    app.connect("build-finished", finish, priority=600)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
