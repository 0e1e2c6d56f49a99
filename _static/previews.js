// What a link of the text leads to, shown beside it: with the pointer on it, with the keyboard's
// focus on it, or at the first tap. Escape closes; the pointer may move onto the card and stay.
(() => {
  "use strict";
  const NAME = /^(.*\/book\/)([^/]+)\.html$/;
  const BEFORE = 250, AFTER = 300; // milliseconds until a card comes, and until it goes
  const TAPPED = /^(equation-|term-|cite-|map-|fig-|ex-|claim-)/; // what a first tap shows
  let card = null, link = null, timer = 0, touched = false, wanted = null;
  const loads = new Map();

  // The place that a link leads to, or null: [page, anchor, folder of the pages].
  function place(a) {
    if (!a || !a.href || a.protocol !== location.protocol || !a.closest("article")) return null;
    if (a.matches(".headerlink, .cell-number, .preview *")) return null;
    const found = NAME.exec(a.href.split("#")[0].split("?")[0]);
    return found && [found[2], decodeURIComponent(a.hash.slice(1)), found[1]];
  }

  // The data of a page, once its script is there; undefined where there is none.
  function data([page, , folder]) {
    if (!loads.has(page)) {
      loads.set(page, new Promise((done) => {
        const script = document.createElement("script");
        script.src = `${folder}../_static/previews/${page}.js`;
        script.onload = () => done((window.bookPreviews || {})[page]);
        script.onerror = () => done(undefined);
        document.head.append(script);
      }));
    }
    return loads.get(page);
  }

  // Tags that come often are one character each; see _ext/previews.py.
  const unpacked = (text, table) =>
    text.replace(/[\uE000-\uF8FF]/g, (one) => table[one.charCodeAt(0) - 0xE000]);

  function element(tag, className, ...children) {
    const made = document.createElement(tag);
    made.className = className;
    made.append(...children);
    return made;
  }

  function fill(a, where, title, html, pageTitle) {
    const body = element("div", "preview-body");
    body.tabIndex = 0;
    if (title) body.append(element("p", "preview-title", title));
    body.insertAdjacentHTML("beforeend", html);
    for (const inner of body.querySelectorAll("a[href]")) inner.href = new URL(inner.getAttribute("href"), where[2]);
    for (const image of body.querySelectorAll("img[src]")) image.src = new URL(image.getAttribute("src"), where[2]);
    const number = where[1].startsWith("equation-") ? title : "";
    const far = where[0] !== (NAME.exec(location.href.split("#")[0]) || [])[2];
    const what = number && far ? `${number} in ${pageTitle}` : number || pageTitle;
    const there = element("a", "preview-go", `Go to ${what}`);
    there.href = a.href;
    const close = element("button", "preview-close", "×");
    close.type = "button";
    close.setAttribute("aria-label", "Close the preview");
    close.addEventListener("click", () => hide(true));
    card.replaceChildren(body, element("p", "preview-foot", there, close));
    card.setAttribute("aria-label", `Preview of ${title || a.textContent.trim() || pageTitle}`);
  }

  // Below the line of the link, or above it where there is more room; never over it.
  function put(a) {
    const lines = [...a.getClientRects()], origin = card.offsetParent.getBoundingClientRect();
    const last = lines[lines.length - 1], first = lines[0];
    const width = document.documentElement.clientWidth, room = card.getBoundingClientRect();
    const left = Math.max(8, Math.min(last.left, width - room.width - 8));
    const below = last.bottom + 6, above = first.top - room.height - 6;
    const top = below + room.height > innerHeight && above > 0 ? above : below;
    card.style.left = `${left - origin.left}px`;
    card.style.top = `${top - origin.top}px`;
  }

  async function show(a, where) {
    wanted = a;
    const found = await data(where);
    const entry = found && found[2][where[1]];
    if (!entry || wanted !== a || !a.getClientRects().length) return Boolean(entry);
    if (link !== a) hide(false);
    if (!card) make(a);
    fill(a, where, entry[0], unpacked(entry[1], found[1]), found[0]);
    link = a;
    wanted = a;
    card.setAttribute("open", "");
    card.dispatchEvent(new Event("preview", { bubbles: true })); // what is wide in it can be scrolled
    a.setAttribute("aria-describedby", card.id);
    put(a);
    return true;
  }

  function make(a) {
    card = element("div", "preview");
    card.id = "preview";
    card.tabIndex = -1;
    card.setAttribute("role", "dialog");
    card.addEventListener("pointerenter", () => clearTimeout(timer));
    card.addEventListener("pointerleave", later);
    card.addEventListener("focusout", (event) => {
      if (link && !card.contains(event.relatedTarget) && event.relatedTarget !== link) hide(false);
    });
    a.closest("article").append(card);
  }

  function hide(back) {
    clearTimeout(timer);
    wanted = null;
    if (!link) return;
    const from = link, inside = card.contains(document.activeElement);
    link.removeAttribute("aria-describedby");
    link = null;
    card.removeAttribute("open");
    if (!back || !inside) return;
    hide.last = from; // the focus that comes back does not open it again
    from.focus({ preventScroll: true });
  }

  function soon(a, where) {
    clearTimeout(timer);
    wanted = null;
    timer = setTimeout(() => show(a, where), BEFORE);
  }

  function later() {
    clearTimeout(timer);
    wanted = link;
    if (link && link !== document.activeElement && !card.contains(document.activeElement)) {
      timer = setTimeout(() => hide(false), AFTER);
    }
  }

  const linkOf = (event) => event.target.closest && event.target.closest("a[href]");

  document.addEventListener("pointerdown", (event) => {
    touched = event.pointerType === "touch" || event.pointerType === "pen";
    if (link && !card.contains(event.target) && linkOf(event) !== link) hide(false);
  });
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "mouse") return;
    const a = linkOf(event), where = place(a);
    if (a && a === link) clearTimeout(timer);
    else if (where) soon(a, where);
  });
  document.addEventListener("pointerout", (event) => {
    if (event.pointerType === "mouse" && place(linkOf(event))) later();
  });
  document.addEventListener("focusin", (event) => {
    const a = linkOf(event), where = place(a), again = hide.last === a;
    hide.last = null;
    if (where && !touched && !again && a.matches(":focus-visible")) soon(a, where);
    else if (link && a !== link && !card.contains(event.target)) hide(false);
  });
  document.addEventListener("focusout", (event) => {
    if (event.target === link && !card.contains(event.relatedTarget) && !card.matches(":hover")) hide(false);
    else if (!link) clearTimeout(timer);
  });
  document.addEventListener("keydown", (event) => {
    touched = false;
    if (event.key === "Escape" && link) {
      event.stopPropagation();
      hide(true);
    }
  }, true);
  document.addEventListener("click", async (event) => {
    const a = linkOf(event), where = place(a);
    if (!touched || !where || !TAPPED.test(where[1]) || a === link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (await show(a, where)) card.focus({ preventScroll: true });
    else if (wanted === a) location.assign(a.href);
  });
})();
