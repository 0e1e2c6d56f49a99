/* The search of the book, in the theme's dialog (Ctrl+K) and on the page of results.

   Whoever begins to search has the records loaded, once, by a script: this works from a folder,
   where nothing may be fetched. Results are links, as one types; the arrows go from one to the
   next, Enter opens, Escape leaves. The page that is opened shows the words until a key is pressed. */
(function () {
  "use strict";

  const ROOT = document.documentElement.dataset.content_root || "./";
  const SHOWN = { dialog: { pages: 8, each: 3 }, page: { pages: 30, each: 6 } };
  const KINDS = { equation: "equation", figure: "figure", exercise: "exercise", claim: "false claim, caught",
    check: "check", term: "term", letter: "notation", source: "source map", reference: "reference",
    symptom: "symptom", function: "code" };
  const KEPT = "policygrad-found";
  let loading = null;

  // --- the records ---------------------------------------------------------------------------------

  /** A promise of what finds; its script is put into the page on the first call. */
  function finder() {
    loading ||= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = ROOT + "search-data.js";
      script.onload = () => resolve(window.policygradSearch);
      script.onerror = () => reject(new Error("search-data.js is not there"));
      document.head.append(script);
    });
    return loading;
  }

  // --- what a result looks like --------------------------------------------------------------------

  function element(tag, name, ...inner) {
    const one = document.createElement(tag);
    if (name) one.className = name;
    one.append(...inner);
    return one;
  }

  /** A text with its marks, and with what stands above or below the line in its place. */
  function marked(text, ranges) {
    const inner = [];
    let at = 0;
    for (const [start, end] of ranges) {
      inner.push(...raised(text.slice(at, start)), element("mark", "", ...raised(text.slice(start, end))));
      at = end;
    }
    return [...inner, ...raised(text.slice(at))];
  }

  function raised(text) {
    return text.split(/([\^ˍ](?:\([^()]*\)|[\p{L}\p{N}*∞]\p{M}*(?:(?<=[a-z])[a-z]+)?))/u).map((part) => {
      const sign = part[0];
      if (part.length < 2 || (sign !== "^" && sign !== "ˍ")) return part.replace(/ˍ/g, "");
      return element(sign === "^" ? "sup" : "sub", "", part.slice(1).replace(/^\((.*)\)$/, "$1").replace(/ˍ/g, ""));
    });
  }

  function address(record) {
    return `${ROOT}book/${record.page}.html${record.anchor ? "#" + record.anchor : ""}`;
  }

  function pageName(record) {
    return (record.number ? record.number + ". " : "") + record.pageTitle.replace(/^\d+\. /, "");
  }

  /** The line below a title: the words around the hit, or where else it was found. */
  function around(search, record, asked) {
    const part = search.excerpt(record.text, asked);
    if (!part.marks.length && !search.marks(record.title, asked).length) {
      for (const [label, text] of [["Also: ", record.names.join(", ")], ["In code: ", record.code.replace(/ /g, ", ")]]) {
        const found = search.excerpt(text, asked, 90);
        if (found.marks.length) return [label, ...marked(found.text, found.marks)];
      }
    }
    return [part.before ? "… " : "", ...marked(part.text, part.marks), part.after ? " …" : ""];
  }

  function result(search, hit, asked, id) {
    const record = hit.record, link = element("a", "pg-hit");
    const title = record.kind === "claim" ? `“${record.title}”` : record.title;
    const head = element("span", "pg-hit-title", ...marked(title, search.marks(title, asked)));
    if (KINDS[record.kind]) head.append(" ", element("span", "pg-hit-kind", KINDS[record.kind]));
    link.append(head);
    link.append(element("span", "pg-hit-text", ...around(search, record, asked)));
    link.href = address(record);
    link.id = id;
    return element("li", "", link);
  }

  /** The hits by page, pages in the order of their best. */
  function grouped(hits) {
    const pages = new Map();
    for (const hit of hits) {
      if (!pages.has(hit.record.page)) pages.set(hit.record.page, []);
      pages.get(hit.record.page).push(hit);
    }
    return [...pages.values()];
  }

  // --- a field with its results --------------------------------------------------------------------

  function attach(form, place) {
    const input = form.querySelector("input"), limits = SHOWN[place];
    const box = form.parentElement.querySelector(".pg-found") || form.parentElement.appendChild(element("div", "pg-found"));
    const status = element("p", "pg-count"), list = element("div", "pg-list"), foot = element("p", "pg-foot");
    status.setAttribute("role", "status");
    status.setAttribute("aria-live", "polite");
    box.append(status, list, foot);
    let asked = "", timer = 0;

    const links = () => [...list.querySelectorAll("a"), ...foot.querySelectorAll("a")];

    async function show() {
      const query = input.value.trim();
      if (query === asked) return;
      asked = query;
      if (!query) return render(null);
      try {
        const search = await finder();
        if (query === asked) render(search, query);
      } catch (error) {
        status.textContent = "The search could not be loaded. The index of terms leads to every term.";
      }
    }

    function render(search, query) {
      list.replaceChildren();
      foot.replaceChildren();
      box.classList.toggle("pg-some", Boolean(search));
      status.textContent = "";
      if (!search) return;
      const { hits, asked: units, changed, nowhere } = search.find(query), pages = grouped(hits);
      status.textContent = count(hits.length, pages.length, query) +
        changed.map(([from, to]) => ` No “${from}” in the book; this is for “${to}”.`).join("") +
        (hits.length ? nowhere.map((word) => ` No “${word}” in the book.`).join("") : "");
      status.dataset.query = query;
      pages.slice(0, limits.pages).forEach((group, i) => list.append(...section(search, group, units, `${place}-${i}`)));
      if (!hits.length) foot.append("Other words for it? See the ", anchor("book/index-of-terms.html", "index of terms"), ".");
      else if (place === "dialog") {
        foot.append(anchor(`search.html?q=${encodeURIComponent(query)}`, `All ${hits.length} on one page`));
        foot.append(element("span", "pg-keys", "↓ ↑ to choose, Enter to open, Esc to close"));
      }
    }

    function section(search, group, units, id) {
      const record = group[0].record, heading = element("h2", "pg-page", pageName(record));
      heading.id = `pg-page-${id}`;
      const items = group.slice(0, limits.each).map((hit, k) => result(search, hit, units, `pg-hit-${id}-${k}`));
      const ul = element("ul", "pg-hits", ...items);
      ul.setAttribute("aria-labelledby", heading.id);
      const rest = group.slice(limits.each);
      if (!rest.length || place === "dialog") return [heading, ul];
      const more = element("details", "pg-more", element("summary", "", `${rest.length} more on this page`));
      more.append(element("ul", "pg-hits", ...rest.map((hit, k) => result(search, hit, units, `pg-hit-${id}-more-${k}`))));
      return [heading, ul, more];
    }

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (place === "page") history.replaceState(null, "", `?q=${encodeURIComponent(input.value.trim())}`);
      else links()[0]?.click();
    });
    input.addEventListener("focus", () => finder().catch(() => {}));
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(show, 60);
    });
    box.addEventListener("click", (event) => {
      if (event.target.closest(".pg-hit")) keep(asked);
    });
    form.parentElement.addEventListener("keydown", (event) => walk(event, input, links()));
    return { input, show };
  }

  const anchor = (href, text) => Object.assign(element("a", "", text), { href: ROOT + href });

  function count(hits, pages, query) {
    if (!hits) return `Nothing for “${query}”.`;
    const places = hits === 1 ? "1 place" : `${hits} places`;
    return `${places} on ${pages === 1 ? "1 page" : `${pages} pages`}.`;
  }

  /** The arrows go through field and links; Escape leaves the dialog. */
  function walk(event, input, links) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key], all = [input, ...links.filter((one) => one.offsetParent)];
    const at = all.indexOf(document.activeElement);
    if (event.key === "Escape") input.closest("dialog")?.close();
    if (step && at >= 0 && !event.altKey && !event.ctrlKey && !event.metaKey) {
      const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
      event.preventDefault();
      next.focus();
    }
  }

  // --- the words on the page that is opened --------------------------------------------------------

  function keep(query) {
    try {
      sessionStorage.setItem(KEPT, query);
    } catch (error) {
      // Without storage the page is opened all the same.
    }
  }

  /** Colour the words that were looked for, in the section that was opened, until the next key. */
  async function colour() {
    let query = null;
    try {
      query = sessionStorage.getItem(KEPT);
      sessionStorage.removeItem(KEPT);
    } catch (error) {
      return;
    }
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const scope = target?.closest("section") || target || document.querySelector("article");
    if (!query || !scope || !window.CSS?.highlights || !window.Highlight) return;
    const search = await finder().catch(() => null);
    if (!search) return;
    const { asked } = search.find(query), ranges = [];
    const walker = document.createTreeWalker(scope, NodeFilter.SHOW_TEXT, {
      acceptNode: (node) => (node.parentElement.closest("mjx-container, pre, .headerlink, script") ? 2 : 1),
    });
    while (walker.nextNode() && ranges.length < 200) {
      for (const [start, end] of search.marks(walker.currentNode.data, asked)) {
        const range = new Range();
        range.setStart(walker.currentNode, start);
        range.setEnd(walker.currentNode, end);
        ranges.push(range);
      }
    }
    CSS.highlights.set("pg-found", new Highlight(...ranges));
    const end = () => CSS.highlights.delete("pg-found");
    addEventListener("keydown", end, { once: true });
    addEventListener("pointerdown", end, { once: true });
  }

  // --- once the page is there ----------------------------------------------------------------------

  function start() {
    const dialog = document.getElementById("pst-search-dialog"), inside = dialog?.querySelector("form.bd-search");
    if (inside) attach(inside, "dialog");
    const own = document.querySelector(".bd-search-container form.bd-search");
    if (own) {
      const { input, show } = attach(own, "page");
      input.value = new URLSearchParams(location.search).get("q") || "";
      show();
      input.focus();
    }
    colour();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
