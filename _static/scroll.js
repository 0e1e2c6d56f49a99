// What is wider than its place can be reached by the Tab key, and fades on the side where there is
// more. What fits is no stop. Without this script, such things still scroll.
(() => {
  "use strict";
  const KINDS = [
    ["mjx-container[display='true']", "Formula"],
    [".cell_output pre", "Output"],
    ["pre", "Code"],
    [".pst-scrollable-table-container", "Table"],
    [".pg-picture", "Picture"],
  ];
  const name = (box) => KINDS.find(([kind]) => box.matches(kind))[1];

  // Read first and write then, so that the page is laid out once.
  const look = (box) => ({
    box,
    wide: box.scrollWidth > box.clientWidth + 1,
    before: box.scrollLeft > 1,
    after: box.scrollLeft + box.clientWidth < box.scrollWidth - 1,
  });

  const show = ({ box, wide, before, after }) => {
    box.classList.toggle("pg-before", wide && before);
    box.classList.toggle("pg-after", wide && after);
    if (wide === box.hasAttribute("tabindex")) return;
    const said = { tabindex: "0", role: "group", "aria-label": `${name(box)}, scrolls sideways` };
    for (const [key, value] of Object.entries(said)) {
      if (wide) box.setAttribute(key, value);
      else box.removeAttribute(key);
    }
  };

  const start = () => {
    const boxes = [...document.querySelectorAll(KINDS.map(([kind]) => `.bd-article ${kind}`).join())];
    const all = (some) => some.map(look).forEach(show);
    const sizes = new ResizeObserver((changes) => all(changes.map((change) => change.target)));
    boxes.forEach((box) => sizes.observe(box));
    const known = new Set(boxes);
    const scrolled = ({ target }) => { if (known.has(target)) show(look(target)); };
    document.addEventListener("scroll", scrolled, { capture: true, passive: true });
    document.fonts.ready.then(() => all(boxes));
    addEventListener("load", () => all(boxes));
  };

  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
})();
