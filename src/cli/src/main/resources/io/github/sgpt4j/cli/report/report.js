"use strict";
// Sorts a table by the column whose heading is pressed: numbers first downwards, words first upwards.
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => heading.firstElementChild.addEventListener("click", () => {
    const numbers = heading.classList.contains("number");
    const before = heading.getAttribute("aria-sort");
    const down = before ? before === "ascending" : numbers;
    headings.forEach(other => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = row => {
      const text = row.cells[column].textContent;
      if (!numbers) return text;
      const number = parseFloat(text.replaceAll(",", ""));
      return Number.isNaN(number) ? -Infinity : number;
    };
    const rows = [...body.rows].map(row => [value(row), row]);
    rows.sort(([a], [b]) => (numbers ? a - b || 0 : a.localeCompare(b, undefined, {numeric: true})) * (down ? -1 : 1));
    body.append(...rows.map(([, row]) => row));
  }));
}
