// What is wider than its place: a formula that is so by a little is drawn smaller. What then is
// still too wide can be reached by the Tab key, and fades on the side where there is more. What
// fits is no stop. Without this script such things scroll all the same.
(() => {
  "use strict";
  const FORMULA = "mjx-container[display='true'], span.math";
  const KINDS = [
    [FORMULA, "Formula"],
    [".cell_output pre", "Output"],
    ["pre", "Code"],
    [".pst-scrollable-table-container", "Table"],
    [".pg-picture", "Picture"],
  ];
  const SHORT = 4; // signs: what a formula may have that is not asked for its width
  const LEAST = 0.84; // of its size, below which a formula scrolls instead
  const needs = new WeakMap(); // the width of a formula at its full size, where it was too wide
  const scale = (box) => Number(box.style.getPropertyValue("--fit")) || 1;
  const name = (box) => KINDS.find(([kind]) => box.matches(kind))[1];

  // Read first and write then, so that the page is laid out once.
  const size = (box) => {
    const wide = box.scrollWidth > box.clientWidth + 1;
    if (wide) needs.set(box, box.scrollWidth / scale(box));
    const share = Math.floor((1000 * (box.clientWidth - 1)) / needs.get(box)) / 1000;
    return { box, fit: share >= LEAST && share < 1 ? String(share) : "" };
  };
  const fit = ({ box, fit }) => {
    if (fit) box.style.setProperty("--fit", fit);
    else box.style.removeProperty("--fit");
  };

  const look = (box) => ({
    box,
    wide: box.scrollWidth > box.clientWidth + 1,
    before: box.scrollLeft > 1,
    after: box.scrollLeft + box.clientWidth < box.scrollWidth - 1,
  });
  const show = ({ box, wide, before, after }) => {
    box.classList.toggle("pg-before", wide && before);
    box.classList.toggle("pg-after", wide && after);
    box.classList.toggle("pg-wide", wide);
    const said = { tabindex: "0", role: "group", "aria-label": `${name(box)}, scrolls sideways` };
    for (const [key, value] of Object.entries(said)) {
      if (wide && box.getAttribute(key) !== value) box.setAttribute(key, value);
      else if (!wide && box.getAttribute(key) === value) box.removeAttribute(key);
    }
  };

  const found = (place) => [...place.querySelectorAll(KINDS.map(([kind]) => kind).join())]
    .filter((box) => !box.matches("span.math") || !(box.dataset.tex?.length <= SHORT));
  const all = (some) => {
    const shown = some.filter((box) => box.clientWidth);
    shown.filter((box) => box.matches(FORMULA)).map(size).forEach(fit);
    shown.map(look).forEach(show);
  };

  const start = () => {
    const article = document.querySelector(".bd-article");
    if (!article) return;
    const boxes = found(article), known = new Set(boxes);
    const sizes = new ResizeObserver((changes) => all(changes.map((change) => change.target)));
    boxes.forEach((box) => sizes.observe(box));
    const scrolled = ({ target }) => {
      if (known.has(target)) show(look(target));
    };
    document.addEventListener("scroll", scrolled, { capture: true, passive: true });
    document.fonts.ready.then(() => all(boxes));
    addEventListener("load", () => all(boxes));
    document.addEventListener("preview", ({ target }) => {
      const added = found(target);
      added.forEach((box) => known.add(box));
      all(added);
    });
  };

  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
})();
