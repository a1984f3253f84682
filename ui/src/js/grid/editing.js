// Editing in place. A cell's input is the one of the record's form. Each cell is saved by itself, with the version that its
// text is based on, so that the API merges it with what others did, or says that they changed the same field. A text that
// was not saved stays in its cell (data-typed), which says why.
import { send, sentence, shortly } from "./saving.js";

const CONFLICTS = [409, 412];

export function startEditing(grid) {
  const bases = new Map(); // "record/field" -> the version that the cell's text is based on
  const queues = new Map(); // record -> its saves, one after the other
  const inputs = new Map([...document.querySelectorAll("template[data-editor]")].map((one) => [one.dataset.editor, soleInput(one)]));
  const idOf = (cell) => cell.parentElement.dataset.id;
  const keyOf = (cell) => `${idOf(cell)}/${grid.field(cell).field}`;

  grid.edit = async (cell, typed) => {
    const field = grid.field(cell);
    const input = inputs.get(field.field);
    if (!grid.isWritten(cell) || cell.dataset.state === "open") return;
    if (field.type === "boolean") save(cell, (cell.dataset.typed ?? rawOf(cell)) === "true" ? "false" : "true");
    else if (!input) cell.parentElement.querySelector(".v-lead a").click();
    else if (typed !== " ") open(cell, input.cloneNode(true), typed ?? (await textOf(grid, cell)), typed !== undefined);
  };

  grid.discard = (cell) => {
    if (cell.dataset.state !== "error") return;
    bases.delete(keyOf(cell));
    settle(cell);
    grid.refresh([idOf(cell)]);
  };

  grid.fail = fail;
  grid.settle = settle;
  grid.pending = pending;

  function open(cell, input, text, replaces) {
    if (cell.dataset.typed === undefined) bases.set(keyOf(cell), cell.parentElement.dataset.version);
    const name = grid.field(cell).name;
    for (const attribute of ["id", "name", "autofocus", "required", "aria-describedby"]) input.removeAttribute(attribute);
    input.setAttribute("aria-label", name);
    input.className = `v-cell-input v-${input.tagName.toLowerCase()}`;
    cell.querySelector(".v-note")?.remove();
    cell.dataset.state = "open";
    cell.append(input);
    const plain = input.tagName === "INPUT" && !["date", "datetime-local", "time"].includes(input.type);
    if (!replaces || plain || input.tagName === "TEXTAREA") input.value = text;
    else input.value = rawOf(cell);
    input.focus();
    if (!replaces) input.select?.();
    let done = false;
    const close = (keep) => {
      if (done) return false;
      done = true;
      const typed = input.value;
      const focused = document.activeElement === input;
      input.remove();
      cell.querySelector("datalist")?.remove();
      delete cell.dataset.state;
      if (focused) grid.go(cell);
      if (keep && (typed !== rawOf(cell) || cell.dataset.typed !== undefined)) save(cell, typed);
      else if (!keep && cell.dataset.typed !== undefined) {
        bases.delete(keyOf(cell));
        settle(cell);
        grid.refresh([idOf(cell)]);
      }
      return true;
    };
    input.addEventListener("blur", () => close(true));
    input.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      const lines = input.tagName === "TEXTAREA" && event.shiftKey;
      if (event.key === "Escape") close(false);
      else if (event.key === "Enter" && !lines) {
        close(true);
        grid.move(1, 0);
      } else if (event.key === "Tab") {
        close(true);
        grid.go(grid.beside(event.shiftKey) ?? cell);
      } else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  function pending(cell, text) {
    cell.querySelector(".v-note")?.remove();
    cell.dataset.typed = text;
    cell.dataset.state = "saving";
    cell.querySelector(".v-cell").textContent = shortly(text).replace(/^nothing$/, "");
  }

  function settle(cell) {
    cell.querySelector(".v-note")?.remove();
    delete cell.dataset.typed;
    delete cell.dataset.state;
    cell.removeAttribute("aria-invalid");
  }

  function save(cell, text) {
    const id = idOf(cell);
    if (!bases.has(keyOf(cell))) bases.set(keyOf(cell), cell.parentElement.dataset.version);
    pending(cell, text);
    const next = (queues.get(id) ?? Promise.resolve()).then(() => store(cell, id, text));
    queues.set(id, next);
    return next;
  }

  async function store(cell, id, text) {
    const { name } = grid.field(cell);
    const key = keyOf(cell);
    const condition = { "If-Match": `"${bases.get(key)}"` };
    const answer = await send("PATCH", `${grid.api}/${id}`, { values: { [name]: text }, typed: true }, condition);
    if (!answer.words) {
      bases.set(key, answer.data.version); // of this very text
      if (cell.dataset.state === "saving" && cell.dataset.typed === text) {
        cell.dataset.raw = text; // until the row comes as the server has it
        settle(cell);
      }
      grid.say("Saved.");
      await grid.refresh([id]);
      if (!cell.dataset.state) bases.delete(key);
      return;
    }
    const clash = CONFLICTS.includes(answer.status) && answer.errors.find((one) => "theirs" in one);
    if (clash) await dispute(cell, id, text, name);
    else fail(cell, answer.errors[0] ? sentence(answer.errors[0].message) : answer.words);
  }

  /* Somebody else changed the same field: both values are shown, and a person decides. */
  async function dispute(cell, id, text, name) {
    const answer = await fetch(`${grid.api}/${id}`, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) {
      fail(cell, "Somebody else changed this field meanwhile. Nothing was saved.");
      return;
    }
    const record = await answer.json();
    bases.set(keyOf(cell), String(record.version));
    fail(cell, `Somebody else made it “${shortly(record.values[name])}” meanwhile. Yours: “${shortly(text)}”.`, [
      ["Save mine", () => save(cell, text)],
      ["Keep theirs", () => grid.discard(cell)],
    ]);
  }

  function fail(cell, words, actions = [["Edit", () => grid.edit(cell)], ["Discard", () => grid.discard(cell)]]) {
    cell.dataset.state = "error";
    cell.setAttribute("aria-invalid", "true");
    const note = document.createElement("div");
    note.className = "v-note";
    note.setAttribute("role", "alert");
    const said = document.createElement("p");
    said.textContent = words;
    const row = document.createElement("div");
    for (const [label, act] of actions) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-xs btn-quiet";
      button.textContent = label;
      button.addEventListener("click", () => {
        grid.go(cell);
        act();
      });
      row.append(button);
    }
    note.append(said, row);
    cell.append(note);
  }

  addEventListener("beforeunload", (event) => {
    if (grid.body.querySelector("td[data-typed]")) event.preventDefault();
  });
}

/* The one input of a form's field; a field with several is edited on the record's page. */
function soleInput(template) {
  const found = template.content.querySelectorAll("input:not([type=hidden]), select, textarea");
  return found.length === 1 && found[0].type !== "checkbox" ? found[0] : undefined;
}

export function rawOf(cell) {
  return cell.dataset.raw ?? "";
}

/* What an input of this cell shows: what was typed and not saved, else what is stored. */
export async function textOf(grid, cell) {
  if (cell.dataset.typed !== undefined) return cell.dataset.typed;
  if (!("long" in cell.dataset)) return rawOf(cell);
  const answer = await fetch(`${grid.api}/${cell.parentElement.dataset.id}`, { headers: { Accept: "application/json" } });
  const record = await answer.json();
  cell.dataset.raw = record.values[grid.field(cell).name] ?? "";
  cell.parentElement.dataset.version = record.version;
  delete cell.dataset.long;
  return cell.dataset.raw;
}
