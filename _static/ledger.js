// The rows of a table of the ledger, weakest first: a button in its head, pressed or not.
addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("table.ledger")) {
    const body = table.tBodies[0], before = [...body.rows];
    const weakness = (row) => Number(/\bweak-(\d+)/.exec(row.className)[1]);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "ledger-sort";
    button.textContent = "weakest first";
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      const sorted = button.getAttribute("aria-pressed") === "false";
      const rows = sorted ? [...before].sort((a, b) => weakness(b) - weakness(a)) : before;
      body.append(...rows);
      button.setAttribute("aria-pressed", String(sorted));
    });
    table.tHead.rows[0].cells[1].append(" ", button);
  }
});
