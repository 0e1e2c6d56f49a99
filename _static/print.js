// Paper is white: while a page prints it has the light theme, then again the reader's own.
(() => {
  "use strict";
  const page = document.documentElement.dataset;
  let before;
  addEventListener("beforeprint", () => {
    before ??= page.theme;
    page.theme = "light";
  });
  addEventListener("afterprint", () => {
    if (before !== undefined) page.theme = before;
    before = undefined;
  });
})();
