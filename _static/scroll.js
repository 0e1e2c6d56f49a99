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
  // Of a formula that was too wide: its width at full size, the room that it then had, the letters.
  const fitted = new WeakMap();
  const scale = (box) => Number(box.style.getPropertyValue("--fit")) || 1;
  const name = (box) => KINDS.find(([kind]) => box.matches(kind))[1];

  // A formula in a line is as wide as what it holds, so once it fits its own width says nothing of
  // the room: that is the line's.
  const room = (box) => {
    if (!box.matches("span.math")) return box.clientWidth;
    let block = box, style;
    do style = getComputedStyle(block = block.parentElement);
    while (/^(inline|contents)$/.test(style.display));
    return block.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  };
  // An accent at its end may stand out where there is room for it.
  const isWide = (box) => box.scrollWidth > box.clientWidth + 1
    && (!box.matches("span.math") || box.clientWidth > room(box) - 2);

  // Read first and write then, so that the page is laid out once. A size that fits is kept until
  // there is more room or the letters have another size: else it would shrink to no end.
  const size = (box) => {
    const wide = isWide(box), now = scale(box);
    if (!wide && now === 1) return { box, fit: "" };
    const letters = getComputedStyle(box.parentElement).fontSize, before = fitted.get(box);
    const space = wide ? box.clientWidth : room(box);
    if (!wide && before?.letters !== letters) return { box, fit: "" };
    if (!wide && space <= before.space) return { box, fit: String(now) };
    const full = wide ? box.scrollWidth / now : before.full;
    fitted.set(box, { full, space, letters });
    const share = Math.floor((1000 * (space - 1)) / full) / 1000;
    return { box, fit: share >= LEAST && share < 1 ? String(share) : "" };
  };
  const fit = ({ box, fit }) => {
    if (fit) box.style.setProperty("--fit", fit);
    else box.style.removeProperty("--fit");
  };

  const look = (box) => ({
    box,
    wide: isWide(box),
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
    // What is not laid out yet, since it is far away, is looked at when it comes near.
    const near = (box) => box.checkVisibility({ contentVisibilityAuto: true });
    const shown = some.filter((box) => near(box) && box.clientWidth);
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
    let soon = 0; // a formula that has been made to fit does not change when there is more room
    addEventListener("resize", () => {
      cancelAnimationFrame(soon);
      soon = requestAnimationFrame(() => all(boxes));
    });
    document.addEventListener("preview", ({ target }) => {
      const added = found(target);
      added.forEach((box) => known.add(box));
      all(added);
    });
  };

  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
})();
