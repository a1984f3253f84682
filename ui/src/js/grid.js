// The table of records as a grid: <div data-grid="/collections/Name"> around a table that works without this.
// Here: which cell is current, and which range. editing.js saves what is typed, pasting.js copies and pastes,
// columns.js has widths, places and heights, files.js uploads.
import { startColumns } from "./grid/columns.js";
import { startEditing } from "./grid/editing.js";
import { startFiles } from "./grid/files.js";
import { startPasting } from "./grid/pasting.js";
import { startSelection } from "./grid/selection.js";

const RECORD = "tr[data-id]";
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

class Grid {
  constructor(box) {
    this.box = box;
    this.table = box.querySelector("table");
    this.body = this.table.tBodies[0];
    this.heads = [...this.table.tHead.rows[0].cells];
    this.writable = "writable" in box.dataset;
    this.path = box.dataset.grid;
    this.api = `/api/v1${this.path}/records`;
    this.current = null;
    this.anchor = null;
    this.leaving = false;
    this.edit = () => {};
    this.clear = () => {};
    this.discard = () => {};
    this.shift = () => {};
    this.addFiles = () => false;
  }

  start() {
    this.table.setAttribute("role", "grid");
    this.table.setAttribute("aria-multiselectable", "true");
    this.table.setAttribute("aria-readonly", String(!this.writable));
    this.box.removeAttribute("tabindex");
    this.adopt(this.body);
    const first = this.at(0, 1);
    if (first) this.point(first);
    this.box.addEventListener("pointerdown", (event) => this.press(event));
    this.box.addEventListener("pointerover", (event) => this.drag(event));
    this.box.addEventListener("focusin", (event) => {
      const cell = event.target.closest(`${RECORD} td`);
      if (cell && cell !== this.current && event.target === cell) this.point(cell);
    });
    this.box.addEventListener("keydown", (event) => this.key(event));
  }

  /* What is inside cells is reached through their cell. */
  adopt(root) {
    const rows = root.matches(RECORD) ? [root] : root.querySelectorAll(RECORD);
    for (const cell of [...rows].flatMap((row) => [...row.cells])) {
      cell.tabIndex = -1;
      if (this.writable && !this.isWritten(cell)) cell.setAttribute("aria-readonly", "true");
    }
    for (const inside of [...rows].flatMap((row) => [...row.querySelectorAll(":is(a, input, button)")])) inside.tabIndex = -1;
  }

  /* Those of records, without the headings of groups. */
  get rows() {
    return [...this.body.querySelectorAll(RECORD)];
  }

  place(cell) {
    return [this.rows.indexOf(cell.parentElement), cell.cellIndex];
  }

  at(row, column) {
    return this.rows[row]?.cells[column];
  }

  field(cell) {
    return this.heads[cell.cellIndex]?.dataset ?? {};
  }

  /* Whether a person writes what is in this cell, and not the workspace itself. */
  isWritten(cell) {
    return this.isField(cell) && !("computed" in this.field(cell));
  }

  isField(cell) {
    return Boolean(this.field(cell).field);
  }

  row(id) {
    return this.body.querySelector(`tr[data-id="${id}"]`);
  }

  point(cell) {
    if (this.current) this.current.tabIndex = -1;
    this.current = cell;
    cell.tabIndex = 0;
  }

  go(cell, extend = false) {
    if (!cell) return;
    if (!extend) this.anchor = null;
    else this.anchor ??= this.current;
    this.point(cell);
    cell.focus({ preventScroll: true });
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.mark();
  }

  move(rows, columns, extend = false) {
    const [row, column] = this.place(this.current);
    this.go(this.at(clamp(row + rows, this.rows.length), clamp(column + columns, this.heads.length)), extend);
  }

  /* The range as [top, left, bottom, right]; one cell when nothing is marked. */
  range() {
    const [row, column] = this.place(this.current);
    const [other, beside] = this.place(this.anchor ?? this.current);
    return [Math.min(row, other), Math.min(column, beside), Math.max(row, other), Math.max(column, beside)];
  }

  mark() {
    for (const cell of this.body.querySelectorAll("[aria-selected]")) cell.removeAttribute("aria-selected");
    if (!this.anchor || this.anchor === this.current) return;
    for (const cell of this.cells()) cell.setAttribute("aria-selected", "true");
  }

  cells() {
    const [top, left, bottom, right] = this.range();
    return this.rows.slice(top, bottom + 1).flatMap((row) => [...row.cells].slice(left, right + 1));
  }

  press(event) {
    const cell = event.target.closest(`${RECORD} td`);
    if (!cell || event.button !== 0 || event.target.closest("a, input, select, textarea, button, label")) return;
    this.leaving = false;
    if (event.pointerType === "mouse") {
      event.preventDefault(); // else the browser marks text
      this.go(cell, event.shiftKey);
      this.dragging = true;
      addEventListener("pointerup", () => (this.dragging = false), { once: true });
    } else if (cell === this.current && document.activeElement === cell) this.edit(cell);
    else this.go(cell);
  }

  drag(event) {
    const cell = event.target.closest(`${RECORD} td`);
    if (this.dragging && cell && cell !== this.current) this.go(cell, true);
  }

  key(event) {
    const cell = event.target;
    if (!cell.matches(`${RECORD} > td`) || event.isComposing) return;
    const command = event.ctrlKey || event.metaKey;
    if (event.key === "Tab") {
      const button = !event.shiftKey && cell.querySelector(".v-note button");
      if (button) {
        event.preventDefault();
        button.focus();
        return;
      }
      if (this.leaving || !this.beside(event.shiftKey)) return;
      this.go(this.beside(event.shiftKey));
    } else if (STEPS[event.key] && !event.altKey) {
      const [rows, columns] = STEPS[event.key];
      const far = command ? Math.max(this.rows.length, this.heads.length) : 1;
      this.move(rows * far, columns * far, event.shiftKey);
    } else if (event.key === "Home") this.move(command ? -Infinity : 0, -Infinity, event.shiftKey);
    else if (event.key === "End") this.move(command ? Infinity : 0, Infinity, event.shiftKey);
    else if (event.key === "PageUp" || event.key === "PageDown") this.move(event.key === "PageUp" ? -10 : 10, 0, event.shiftKey);
    else if (event.key === "Escape") {
      this.go(cell);
      this.discard(cell);
    } else if (event.altKey && event.shiftKey && (event.key === "ArrowLeft" || event.key === "ArrowRight")) this.shift(cell, event.key === "ArrowRight" ? 1 : -1);
    else if (event.altKey && (event.key === "ArrowLeft" || event.key === "ArrowRight")) this.widen(cell, event.key === "ArrowRight" ? 16 : -16);
    else if (event.key === "Enter" && (command || !this.writable)) cell.parentElement.querySelector(".v-lead a")?.click();
    else if (event.key === "Enter" || event.key === "F2") this.addFiles(cell) || this.edit(cell);
    else if (event.key === " " && (event.shiftKey || !this.isField(cell))) cell.parentElement.querySelector(".v-mark input")?.click();
    else if (event.key === " " && this.writable) this.edit(cell, " ");
    else if (event.key === "Delete" || event.key === "Backspace") this.clear();
    else if (event.key.length === 1 && !command && !event.altKey && this.writable) this.edit(cell, event.key);
    else return;
    this.leaving = event.key === "Escape"; // then Tab leaves the table
    event.preventDefault();
  }

  /* The next cell of a row, or the first of the next one. */
  beside(back) {
    const [row, column] = this.place(this.current);
    const next = column + (back ? -1 : 1);
    return this.at(row, next) ?? this.at(row + (back ? -1 : 1), back ? this.heads.length - 1 : 0);
  }

  say(words) {
    document.querySelector("[data-grid-said]").textContent = words;
  }

  /* Rows as the server has them now. Cells with something unsaved stay as they are. */
  async refresh(ids) {
    const fields = this.heads.flatMap((head) => head.dataset.field ?? []).join(".");
    const query = new URLSearchParams({ ids: ids.join("."), fields, shown: this.box.dataset.shown });
    const answer = await fetch(`${this.path}/rows?${query}`, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html").querySelectorAll("tr");
    for (const fresh of found) this.replace(document.adoptNode(fresh));
    this.body.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true })); // times in words
  }

  /* Cell by cell, so that an open input keeps its focus. */
  replace(fresh) {
    const row = this.row(fresh.dataset.id);
    this.adopt(fresh);
    if (row) {
      row.dataset.version = fresh.dataset.version;
      [...fresh.cells].forEach((cell, index) => this.renew(row.cells[index], cell));
    } else this.body.append(fresh);
    this.mark();
    document.dispatchEvent(new CustomEvent("grid:rows"));
  }

  renew(cell, fresh) {
    const same = cell.dataset.raw === fresh.dataset.raw && cell.innerHTML === fresh.innerHTML;
    if (same || cell.dataset.state || cell.classList.contains("v-mark")) return;
    const focused = document.activeElement === cell;
    cell.replaceWith(fresh);
    if (this.anchor === cell) this.anchor = fresh;
    if (this.current === cell) this.point(fresh);
    if (focused) fresh.focus({ preventScroll: true });
  }
}

function clamp(index, length) {
  return Math.max(0, Math.min(length - 1, index));
}

for (const box of document.querySelectorAll("[data-grid]")) {
  const grid = new Grid(box);
  grid.start();
  startColumns(grid);
  startSelection(grid);
  if (grid.writable) {
    startEditing(grid);
    startPasting(grid);
    startFiles(grid);
  }
}
