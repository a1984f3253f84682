import { store } from "../upload.js";

// Files in cells: chosen by a cell's "Add" or by Enter on the cell, or dropped on it. Each is uploaded into the record's field.
export function startFiles(grid) {
  const picker = document.createElement("input");
  picker.type = "file";
  picker.multiple = true;
  picker.hidden = true;
  grid.box.append(picker);
  let wanted = []; // the record and the place of the cell, which may be drawn again meanwhile

  const takes = (cell) => Boolean(cell?.querySelector(".v-add-file"));
  const cellOf = (event) => event.target.closest("tr[data-id] > td");

  grid.addFiles = (cell) => {
    if (!takes(cell)) return false;
    wanted = [cell.parentElement.dataset.id, cell.cellIndex];
    picker.value = "";
    picker.click();
    return true;
  };
  picker.addEventListener("change", () => {
    const cell = grid.row(wanted[0])?.cells[wanted[1]];
    if (cell) upload(cell, [...picker.files]);
  });
  grid.body.addEventListener("click", (event) => {
    if (event.target.closest(".v-add-file") && grid.addFiles(cellOf(event))) event.preventDefault();
  });
  grid.body.addEventListener("dragover", (event) => {
    if (takes(cellOf(event)) && event.dataTransfer.types.includes("Files")) event.preventDefault();
  });
  grid.body.addEventListener("drop", (event) => {
    if (!takes(cellOf(event)) || !event.dataTransfer.files.length) return;
    event.preventDefault();
    upload(cellOf(event), [...event.dataTransfer.files]);
  });

  async function upload(cell, files) {
    const { id } = cell.parentElement.dataset;
    const { name } = grid.field(cell);
    const place = cell.cellIndex;
    const problems = [];
    grid.go(cell);
    cell.dataset.state = "saving";
    for (const file of files) {
      grid.say(`Adding ${file.name}.`);
      const { problem } = await store(`${grid.api}/${id}/files?field=${encodeURIComponent(name)}`, file);
      if (problem) problems.push(`${file.name}: ${problem}`);
    }
    delete cell.dataset.state;
    await grid.refresh([id]);
    const added = files.length - problems.length;
    grid.say(`${added} ${added === 1 ? "file" : "files"} added to ${name}.`);
    const now = grid.row(id)?.cells[place];
    if (problems.length && now) grid.fail(now, problems.join(" "), [["Close", () => grid.discard(now)]]);
  }
}
