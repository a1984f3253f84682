// Ranges as spreadsheets have them: tab-separated, with quotes around what holds tabs or line breaks. What is pasted is one
// batch; cells that are refused keep their text and say why, the others are saved.
import { textOf } from "./editing.js";
import { send, sentence } from "./saving.js";

const BATCH = 1000;
const SHOWN = 200;
const ATTEMPTS = 25; // each names up to 50 rows at fault

export function startPasting(grid) {
  const inCell = (event) => event.target.closest?.("td") && !event.target.closest("input, textarea, select");

  grid.box.addEventListener("copy", (event) => {
    if (!inCell(event)) return;
    event.preventDefault();
    const rows = marked(grid);
    if (rows.flat().some((cell) => "long" in cell.dataset)) {
      Promise.all(rows.map((row) => Promise.all(row.map((cell) => textOf(grid, cell))))).then((texts) => navigator.clipboard.writeText(asText(texts)));
    } else event.clipboardData.setData("text/plain", asText(rows.map((row) => row.map((cell) => cell.dataset.typed ?? cell.dataset.raw ?? cell.innerText.trim()))));
    grid.say(`${rows.length * rows[0].length} cells copied.`);
  });

  grid.box.addEventListener("paste", (event) => {
    if (!inCell(event)) return;
    event.preventDefault();
    const texts = asRows(event.clipboardData.getData("text/plain"));
    if (texts.length) paste(filled(grid, texts));
  });

  grid.clear = () => {
    const cells = grid.cells().filter((cell) => grid.isWritten(cell));
    write(cells.map((cell) => [cell, ""]), []);
  };

  async function paste(texts) {
    const [top, left] = grid.range();
    const heads = grid.heads.slice(Math.max(left, 1)).filter((head) => head.dataset.field);
    const there = grid.rows.length - top;
    const changes = texts.slice(0, there).flatMap((row, at) => row.slice(0, heads.length).map((text, index) => [grid.at(top + at, heads[index].cellIndex), text])).filter(([cell]) => grid.isWritten(cell));
    const more = texts.slice(there).map((row) => Object.fromEntries(row.slice(0, heads.length).map((text, index) => [heads[index].dataset, text]).filter(([field]) => !("computed" in field)).map(([field, text]) => [field.name, text])));
    if (more.length && !(await asked(more.length, changes.length))) more.length = 0;
    await write(changes, more);
    const last = grid.at(Math.min(top + texts.length, grid.rows.length) - 1, heads[Math.min(texts[0].length, heads.length) - 1].cellIndex);
    if (last && texts.length * texts[0].length > 1) grid.go(last, true);
  }

  /* Saves the text of each cell, and adds records; how it went is said, and shown at the cells. */
  async function write(changes, news) {
    let open = changes.filter(([cell, text]) => text !== (cell.dataset.typed ?? cell.dataset.raw));
    for (const [cell, text] of open) grid.pending(cell, text);
    let left = news;
    const problems = [];
    const done = { cells: 0, records: 0 };
    for (let attempt = 0; attempt < ATTEMPTS && (open.length || left.length); attempt += 1) {
      const [part, cells, rows] = batch(open, left);
      const answer = await send("POST", `${grid.api}/batch`, part);
      if (!answer.words) {
        for (const [cell] of cells) grid.settle(cell);
        for (const row of answer.data.updated) if (grid.row(row.id)) grid.row(row.id).dataset.version = row.version;
        done.cells += cells.length;
        done.records += rows.length;
        const ids = [...part.update, ...answer.data.created].map((row) => row.id);
        for (let from = 0; from < ids.length; from += SHOWN) await grid.refresh(ids.slice(from, from + SHOWN));
        open = open.filter((one) => !cells.includes(one));
        left = left.slice(rows.length);
        attempt = 0;
        continue;
      }
      const refused = faults(answer.errors, part, cells);
      if (!refused.cells.size && !refused.rows.size) {
        for (const [cell] of open) grid.fail(cell, answer.words);
        problems.push(answer.words);
        break;
      }
      for (const [cell, words] of refused.cells) grid.fail(cell, words);
      for (const words of refused.rows.values()) problems.push(words);
      open = open.filter(([cell]) => !refused.cells.has(cell));
      left = left.filter((_, index) => !refused.rows.has(index));
    }
    report(done, grid.body.querySelectorAll("td[data-state=error]").length, problems);
  }

  function report(done, refused, problems) {
    const said = [];
    if (done.cells) said.push(`${count(done.cells, "cell")} saved.`);
    if (done.records) said.push(`${count(done.records, "record")} added.`);
    if (refused) said.push(`${count(refused, "cell")} could not be saved and say why.`);
    if (problems.length) said.push(`${problems.length > 1 ? `${problems.length} rows were not added. ` : ""}${problems[0]}`);
    if (!said.length) return;
    grid.say(said.join(" "));
    if (refused || problems.length || done.records) {
      document.dispatchEvent(new CustomEvent("toast", { detail: { message: said.join(" "), kind: refused || problems.length ? "error" : "success" } }));
    }
  }
}

function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/* Asks before records are added. */
function asked(rows, cells) {
  const dialog = document.getElementById("paste-rows");
  dialog.querySelector("[data-words]").textContent =
    `${count(rows, "row")} of what you paste ${rows === 1 ? "is" : "are"} below the last record of this page.` + (cells ? " The others change the records that they cover." : "");
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "add"), { once: true });
  });
}

function marked(grid) {
  const [top, left, bottom, right] = grid.range();
  const from = Math.min(Math.max(left, 1), right);
  return grid.rows.slice(top, bottom + 1).map((row) => [...row.cells].slice(from, right + 1));
}

/* One value fills the whole range that is marked. */
function filled(grid, texts) {
  const [top, left, bottom, right] = grid.range();
  if (texts.length > 1 || texts[0].length > 1) return texts;
  return Array.from({ length: bottom - top + 1 }, () => Array(right - Math.max(left, 1) + 1).fill(texts[0][0]));
}

/* As many rows as a batch may have, of cells and of new records. */
function batch(changes, news) {
  const rows = new Map();
  const cells = [];
  for (const change of changes) {
    const { id, version } = change[0].parentElement.dataset;
    if (!rows.has(id) && rows.size >= BATCH) break;
    if (!rows.has(id)) rows.set(id, { id: Number(id), version: Number(version), values: {} });
    rows.get(id).values[headOf(change[0]).name] = change[1];
    cells.push(change);
  }
  const added = news.slice(0, BATCH - rows.size);
  return [{ update: [...rows.values()], create: added.map((values) => ({ values })), typed: true }, cells, added];
}

function headOf(cell) {
  return cell.closest("table").tHead.rows[0].cells[cell.cellIndex].dataset;
}

/* Which cells, and which new rows, the API names, and what it says of them. */
function faults(errors, part, cells) {
  const found = { cells: new Map(), rows: new Map() };
  for (const { field, message } of errors) {
    const [, kind, index, name] = /^(update|create)\[(\d+)\](?:\.values\.(.*)|\..*)?$/s.exec(field) ?? [];
    if (kind === "create") found.rows.set(Number(index), sentence(`row ${Number(index) + 1}${name ? `, ${name}` : ""} ${message}`));
    if (kind !== "update") continue;
    const id = String(part.update[index]?.id);
    for (const [cell] of cells) {
      if (cell.parentElement.dataset.id === id && (!name || headOf(cell).name === name)) found.cells.set(cell, sentence(message));
    }
  }
  return found;
}

/* Texts as tab-separated rows. */
export function asText(rows) {
  const quoted = (text) => (/["\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => row.map(quoted).join("\t")).join("\n");
}

/* Tab-separated rows as texts; without the line break at the end that spreadsheets add. */
export function asRows(text) {
  const rows = [[]];
  const pattern = /(?:"((?:[^"]|"")*)"(?=[\t\r\n]|$)|([^\t\r\n]*))(\t|\r\n|\r|\n|$)/gy;
  const whole = text.replace(/(\r\n|\r|\n)$/, "");
  if (!whole) return [];
  for (let found = pattern.exec(whole); found; found = pattern.exec(whole)) {
    rows.at(-1).push(found[1] === undefined ? found[2] : found[1].replaceAll('""', '"'));
    if (!found[3]) break;
    if (found[3] !== "\t") rows.push([]);
  }
  return rows;
}
