// What was read is remembered on this device, and nowhere else: a mark at the pages that were read
// to the end, and the way back to where one stopped. One button forgets it all.
(() => {
  "use strict";
  const KEY = "policy-gradients-checked:read";
  const PAGE = /\/book\/([^/]+)\.html$/;
  const found = PAGE.exec(location.pathname), page = found && found[1];

  // {pages: {name: [sections seen] or true}, at: [page, section, title, title of the section]}
  function load() {
    try {
      const kept = JSON.parse(localStorage.getItem(KEY));
      return kept && typeof kept.pages === "object" && kept.pages ? kept : { pages: {} };
    } catch {
      return { pages: {} };
    }
  }
  function save(state) {
    try {
      localStorage.setItem(KEY, JSON.stringify(state));
    } catch { /* storage is forbidden or full: nothing is remembered */ }
  }
  function forget() {
    try {
      localStorage.removeItem(KEY);
    } catch { /* nothing was kept */ }
    show();
  }

  function element(tag, className, ...children) {
    const made = document.createElement(tag);
    made.className = className;
    made.append(...children);
    return made;
  }
  const title = (heading) => {
    const own = heading.cloneNode(true);
    for (const link of own.querySelectorAll(".headerlink")) link.remove();
    return own.textContent.trim();
  };

  // --- what is shown ---------------------------------------------------------------------------

  function show() {
    for (const old of document.querySelectorAll(".read-mark, .read-note, .read-on")) old.remove();
    const { pages, at } = load();
    let read = 0;
    for (const link of document.querySelectorAll(".bd-sidebar-primary nav a.reference")) {
      const name = PAGE.exec(link.pathname || "");
      if (name && pages[name[1]] === true) {
        read += 1;
        const sign = element("span", "read-sign", "✓");
        sign.setAttribute("aria-hidden", "true");
        link.append(element("span", "read-mark", sign, element("span", "read-words", " (read)")));
      }
    }
    if (read || at) note(read);
    if (at && page === "index") readOn(at);
  }

  function button() {
    const made = element("button", "read-forget", "Forget what I read");
    made.type = "button";
    made.addEventListener("click", forget);
    return made;
  }

  function note(read) {
    const side = document.querySelector(".bd-sidebar-primary .sidebar-primary-items__end, .bd-sidebar-primary");
    if (!side) return;
    const many = read === 1 ? "1 page read to the end" : `${read} pages read to the end`;
    const words = read ? `✓ ${many}. Kept on this device only.` : "Where you are is kept on this device only.";
    side.append(element("div", "read-note", element("p", "", words), button()));
  }

  function readOn([name, section, pageTitle, sectionTitle]) {
    const heading = document.querySelector("article h1");
    if (!heading) return;
    const link = element("a", "", sectionTitle ? `${pageTitle}: ${sectionTitle}` : pageTitle);
    link.href = `${name}.html${section ? `#${section}` : ""}`;
    heading.after(element("p", "read-on", "Continue reading: ", link));
  }

  // --- what is kept ----------------------------------------------------------------------------

  // A page was read once each of its sections was on the screen, and the end of its text.
  function watch(article) {
    const heads = [...article.querySelectorAll("h1, section > section > h2")];
    const end = element("span", "read-end");
    article.append(end);
    const names = new Map(heads.map((head) => [head, head.parentElement.id]));
    names.set(end, "");
    const see = (entries) => {
      const seen = entries.filter((one) => one.isIntersecting).map((one) => names.get(one.target));
      if (seen.length) keep(seen, [...names.values()]);
    };
    const observer = new IntersectionObserver(see);
    for (const one of names.keys()) observer.observe(one);
    let wait = 0;
    addEventListener("scroll", () => {
      clearTimeout(wait);
      wait = setTimeout(() => stopped(heads), 250);
    }, { passive: true });
  }

  function keep(seen, all) {
    const state = load(), before = state.pages[page];
    if (before === true) return;
    const now = new Set([...(Array.isArray(before) ? before : []), ...seen]);
    const done = all.every((name) => now.has(name));
    state.pages[page] = done || [...now].filter((name) => all.includes(name));
    save(state);
    if (done) show();
  }

  function stopped(heads) {
    const above = heads.filter((head) => head.getBoundingClientRect().top < innerHeight / 2);
    const head = above[above.length - 1];
    if (!head) return;
    const state = load(), inside = head.tagName !== "H1";
    const section = inside ? head.parentElement.id : "";
    state.at = [page, section, title(heads[0]), inside ? title(head) : ""];
    save(state);
  }

  function start() {
    show();
    const article = document.querySelector("article");
    if (page && page !== "index" && article && "IntersectionObserver" in window) watch(article);
  }
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
})();
