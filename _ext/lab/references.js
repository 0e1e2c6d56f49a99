// References from one chapter to another read as on the built page, and open the chapter.
// An extension of JupyterLab as it loads one: a container with `init` and `get`.
(() => {
  "use strict";
  const NAME = "policy-gradients-checked";
  const KNOWN = {}; // KNOWN
  const MISSING = 'span[title="Cross Reference Not Found"]';
  const UNCITED = 'span[title="Citation Not Found"]';
  const STYLE = `
    .pg-found { color: var(--jp-content-link-color); cursor: pointer; }
    .pg-found:hover { text-decoration: underline; }
    .pg-found svg, .pg-cited svg { display: none; }
    .pg-cited { color: inherit; }
    .cite-group:not(.narrative) .pg-cited + .pg-cited::before { content: "; "; }`;

  const labelOf = (link) => {
    const address = link.getAttribute("href") || "";
    const found = /^#(.+)$/.exec(address) || /\/files\/([^?#]+)/.exec(address);
    return found && decodeURIComponent(found[1]).replace(/^.*\//, "");
  };

  const say = (element, words) => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
      if (text.nodeValue !== words) text.nodeValue = words;
      words = ""; // the rest of it, as in the three pieces of "(4)"
    }
  };

  const lead = (element, label) => {
    if (element.dataset.book === label) return;
    element.dataset.book = label;
    if (element.tagName === "A") return;
    element.classList.add("pg-found");
    element.removeAttribute("title");
    element.setAttribute("role", "link");
    element.tabIndex = 0;
  };

  const mendLink = (link) => {
    const label = labelOf(link);
    const known = label && KNOWN.labels[label];
    if (!known) return;
    const [, words] = known;
    const shown = link.textContent;
    if (words && (shown === label || /^\(\d+\)$/.test(shown))) say(link, words);
    if (!link.getAttribute("href").startsWith("#")) lead(link, label);
  };

  const mendMissing = (span) => {
    const label = span.textContent.trim();
    const known = KNOWN.labels[label];
    if (!known) return;
    if (known[1]) say(span, known[1]);
    lead(span, label);
  };

  const mendCited = (span) => {
    const work = KNOWN.works[span.textContent.trim()];
    if (!work) return;
    const inside = span.closest(".cite-group");
    const cut = work.lastIndexOf(", ");
    const named = inside && inside.classList.contains("narrative") && cut > 0;
    const words = named ? `${work.slice(0, cut)} (${work.slice(cut + 2)})` : work;
    say(span, inside ? words : `(${words})`);
    span.classList.add("pg-cited");
    span.removeAttribute("title");
  };

  const mend = () => {
    document.querySelectorAll(".myst a[href]").forEach(mendLink);
    document.querySelectorAll(MISSING).forEach(mendMissing);
    document.querySelectorAll(UNCITED).forEach(mendCited);
  };

  const open = async (app, label) => {
    const [file, , cell] = KNOWN.labels[label];
    const how = file.endsWith(".md") ? { factory: "Markdown Preview" } : {};
    const panel = await app.commands.execute("docmanager:open", { path: file, ...how });
    await panel?.context?.ready;
    await panel?.revealed;
    const notebook = panel?.content;
    if (cell && notebook?.scrollToItem) {
      notebook.activeCellIndex = cell;
      await notebook.scrollToItem(cell, "start");
    }
  };

  const follow = (app, event) => {
    if (event.type === "keydown" && event.key !== "Enter") return;
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const element = event.target.closest?.("[data-book]");
    if (!element) return;
    event.preventDefault();
    event.stopPropagation();
    open(app, element.dataset.book);
  };

  const plugin = {
    id: `${NAME}:references`,
    description: "References from one chapter to another",
    autoStart: true,
    requires: [],
    activate: (app) => {
      const style = document.createElement("style");
      style.textContent = STYLE;
      document.head.append(style);
      let due = 0;
      const soon = () => {
        if (!due) due = setTimeout(() => ((due = 0), mend()), 60);
      };
      const watched = { childList: true, subtree: true, characterData: true };
      new MutationObserver(soon).observe(document.body, watched);
      for (const type of ["click", "keydown"]) {
        document.addEventListener(type, (event) => follow(app, event), true);
      }
    },
  };

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[NAME] = {
    init: () => {},
    get: () => Promise.resolve(() => ({ __esModule: true, default: plugin })),
  };
})();
