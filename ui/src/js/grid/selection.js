// Rows that are ticked: all of the page from the head, a range with Shift, and how many there are.
export function startSelection(grid) {
  const bar = document.getElementById("selection");
  const boxes = () => [...grid.body.querySelectorAll(".v-mark input")];
  const all = grid.heads[0].querySelector("input");
  let last = null;

  function count() {
    const ticked = boxes().filter((box) => box.checked).length;
    all.checked = ticked > 0 && ticked === boxes().length;
    all.indeterminate = ticked > 0 && !all.checked;
    for (const row of grid.rows) row.classList.toggle("v-ticked", row.querySelector(".v-mark input").checked);
    if (!bar) return;
    bar.querySelector("[data-count]").textContent = `${ticked} selected`;
    const matching = bar.querySelector("[data-matching]");
    matching.hidden = !all.checked;
    if (!all.checked) matching.querySelector("input").checked = false;
  }

  grid.body.addEventListener("click", (event) => {
    const box = event.target.closest(".v-mark input");
    if (!box) return;
    const row = box.closest("tr").sectionRowIndex;
    if (event.shiftKey && last !== null) {
      for (const one of boxes().slice(Math.min(row, last), Math.max(row, last) + 1)) one.checked = box.checked;
    }
    last = row;
    count();
  });
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
    count();
  });
  bar?.addEventListener("reset", () => setTimeout(() => {
    count();
    grid.current?.focus();
  }));
  document.addEventListener("grid:rows", count);
  count();
}
