// What the joined book is asked before it is printed. Sizes are those of the sheet: the window is as
// wide as its column.
(() => {
  "use strict";
  const SMALLEST = 0.7;

  // Fill in the numbers of pages. Each has the room of three digits, so nothing moves.
  const number = (pages) => {
    const missing = [];
    document.body.hidden = true; // so that all is laid out afresh, both times alike
    document.body.offsetHeight;
    for (const place of document.querySelectorAll(".number[data-of]")) {
      const page = pages[place.dataset.of];
      if (page === undefined) missing.push(place.dataset.of);
      place.textContent = String(page ?? "0");
    }
    document.body.hidden = false;
    return missing;
  };

  const room = (box) => {
    const style = getComputedStyle(box);
    return box.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  };

  // Shrink what is wider than its column, as far as it stays legible; name what is not.
  const shrink = (what, size, width, space) => {
    const scale = width > space ? (space / width) * 0.995 : 1;
    if (scale < 1) what.style.fontSize = `${parseFloat(size) * Math.max(scale, SMALLEST)}px`;
    return scale;
  };
  const fit = () => {
    const cut = [];
    const judge = (scale, words) => {
      if (scale < SMALLEST) cut.push(words.slice(0, 60));
    };
    for (const box of document.querySelectorAll("div.math")) {
      const formula = box.querySelector("mjx-container"), label = box.querySelector(".eqno");
      if (!formula) continue;
      const space = room(box) - (label ? label.offsetWidth : 0);
      const width = formula.querySelector("mjx-math").getBoundingClientRect().width;
      const size = getComputedStyle(formula).fontSize;
      judge(shrink(formula, size, width, space), formula.getAttribute("aria-label") || "");
    }
    for (const code of document.querySelectorAll("pre")) {
      const size = getComputedStyle(code).fontSize;
      judge(shrink(code, size, code.scrollWidth, code.clientWidth), code.textContent);
    }
    for (const table of document.querySelectorAll("table")) {
      const space = room(table.parentElement);
      let scale = 1;
      while (table.scrollWidth > space + 1 && scale >= SMALLEST) {
        scale -= 0.05;
        table.style.fontSize = `${scale * 9}pt`;
      }
      judge(scale, table.textContent);
    }
    return cut;
  };

  // Signs that no font of this machine has are drawn as the same box: say what they are instead.
  const drawn = (sign) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 24;
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.font = getComputedStyle(document.body).font.replace(/^\S*\s*[\d.]+px(\/[\d.]+(px)?)?/, "16px");
    pen.fillText(sign, 2, 18);
    return canvas.toDataURL();
  };
  const signs = () => {
    const box = drawn("\u{10FFFD}"), known = new Map(), missing = new Set();
    const lacks = (sign) => {
      if (!known.has(sign)) known.set(sign, drawn(sign) === box);
      return known.get(sign);
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      const found = text.data.match(/[\u2E80-\u{3FFFF}]+/gu) || [];
      if (![...found.join("")].some(lacks)) continue;
      [...found.join("")].filter(lacks).forEach((sign) => missing.add(sign));
      text.data = text.data.replace(/[\u2E80-\u{3FFFF}]+(,? ?[\u2E80-\u{3FFFF}]+)*/gu, "[Chinese]");
    }
    return [...missing].sort().join("");
  };

  window.paper = { number, fit, signs };
})();
