// A click on the head of a column sorts by it; another one turns the order round. Cells without a value stay at the end.
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const numeric = !head.classList.contains("text");
    const down = head.ariaSort ? head.ariaSort === "ascending" : numeric;
    const value = row => row.cells[column].dataset.value;
    const compare = (a, b) => numeric ? a - b : a.localeCompare(b);
    const rows = [...table.tBodies[0].rows].sort((a, b) => {
      const [first, second] = [value(a), value(b)];
      if (first === undefined || second === undefined) return (first === undefined) - (second === undefined);
      return down ? compare(second, first) : compare(first, second);
    });
    heads.forEach(other => { other.ariaSort = null; });
    head.ariaSort = down ? "descending" : "ascending";
    table.tBodies[0].append(...rows);
  }));
}
