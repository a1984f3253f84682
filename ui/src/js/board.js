// A board: <div data-board="/collections/Name" data-field="State"> with columns of cards. A card is dragged to another column,
// or moved by its button; what is written is the field's value, with the version that the card shows.
import { send, sentence, shortly } from "./grid/saving.js";

const CONFLICTS = [409, 412];

class Board {
  constructor(box) {
    this.box = box;
    this.path = `/api/v1${box.dataset.board}/records`;
    this.field = box.dataset.field;
    this.dialog = document.getElementById("move-card");
    this.dragged = null;
  }

  start() {
    if (!this.dialog) return;
    this.show(this.box);
    document.addEventListener("htmx:load", (event) => this.show(event.detail.elt));
    this.box.addEventListener("click", (event) => {
      const button = event.target.closest("[data-move]");
      if (button) this.ask(button.closest(".v-card"));
    });
    this.box.addEventListener("dragstart", (event) => this.lift(event));
    this.box.addEventListener("dragover", (event) => this.over(event));
    this.box.addEventListener("drop", (event) => this.drop(event));
    this.box.addEventListener("dragend", () => this.mark(null));
  }

  show(root) {
    const parent = root.parentElement ?? root;
    for (const button of parent.querySelectorAll("[data-move]")) button.hidden = false;
  }

  lift(event) {
    this.dragged = event.target.closest?.(".v-card");
    if (!this.dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", this.dragged.dataset.id);
  }

  /* The column below the pointer, if a card can be moved there. */
  target(event) {
    const lane = event.target.closest(".v-lane");
    return this.dragged && lane && "typed" in lane.dataset ? lane : null;
  }

  over(event) {
    const lane = this.target(event);
    this.mark(lane);
    if (lane) event.preventDefault();
  }

  drop(event) {
    const lane = this.target(event);
    const card = this.dragged;
    this.mark(null);
    this.dragged = null;
    if (!lane) return;
    event.preventDefault();
    this.move(card, lane);
  }

  mark(lane) {
    for (const one of this.box.querySelectorAll(".v-over")) one.classList.remove("v-over");
    lane?.classList.add("v-over");
  }

  lanes() {
    return [...this.box.querySelectorAll(".v-lane")];
  }

  lane(typed) {
    return this.lanes().find((one) => one.dataset.typed === typed);
  }

  title(card) {
    return card.querySelector("a").textContent.trim();
  }

  ask(card) {
    const select = this.dialog.querySelector("select");
    this.dialog.querySelector("h2").textContent = `Move ${this.title(card)}`;
    select.value = card.closest(".v-lane").dataset.typed ?? select.options[0].value;
    this.dialog.returnValue = "";
    this.dialog.showModal();
    select.focus();
    this.dialog.addEventListener(
      "close",
      () => {
        if (this.dialog.returnValue === "move") this.move(card, this.lane(select.value));
        card.querySelector("[data-move]").focus();
      },
      { once: true },
    );
  }

  async move(card, lane) {
    const from = card.closest(".v-lane");
    if (lane === from || card.dataset.state) return;
    this.put(card, lane);
    card.dataset.state = "saving";
    const change = { values: { [this.field]: lane.dataset.typed }, typed: true };
    const answer = await send("PATCH", `${this.path}/${card.dataset.id}`, change, { "If-Match": `"${card.dataset.version}"` });
    delete card.dataset.state;
    if (!answer.words) {
      card.dataset.version = answer.data.version;
      this.say(`Moved ${this.title(card)} to ${lane.dataset.label}.`);
      return;
    }
    this.put(card, from);
    const clash = CONFLICTS.includes(answer.status) && answer.errors.find((one) => "theirs" in one);
    if (clash) await this.dispute(card, lane);
    else this.note(card, answer.errors[0] ? sentence(answer.errors[0].message) : answer.words);
  }

  /* Somebody else moved the card: both places are said, and a person decides. */
  async dispute(card, lane) {
    const answer = await fetch(`${this.path}/${card.dataset.id}`, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) {
      this.note(card, "Somebody else moved it meanwhile. Nothing was saved.");
      return;
    }
    const record = await answer.json();
    const value = record.values[this.field];
    const theirs = this.lane(value === null ? "" : typeof value === "object" ? `${value.title} #${value.id}` : String(value));
    card.dataset.version = record.version;
    if (theirs) this.put(card, theirs);
    const there = theirs ? theirs.dataset.label : shortly(value);
    this.note(card, `Somebody else moved it to “${there}” meanwhile.`, [[`Move to “${lane.dataset.label}”`, () => this.move(card, lane)]]);
  }

  put(card, lane) {
    const from = card.closest(".v-lane");
    card.querySelector(".v-card-note")?.remove();
    lane.querySelector(".v-cards").prepend(card);
    for (const [one, by] of [[from, -1], [lane, 1]]) {
      const count = one.querySelector("[data-count]");
      if (!count.dataset.count) continue;
      count.dataset.count = Number(count.dataset.count) + by;
      count.firstChild.textContent = Number(count.dataset.count).toLocaleString("en");
    }
  }

  note(card, words, actions = []) {
    card.querySelector(".v-card-note")?.remove();
    const note = document.createElement("div");
    note.className = "v-card-note";
    note.setAttribute("role", "alert");
    const said = document.createElement("p");
    said.textContent = words;
    note.append(said);
    for (const [label, act] of [...actions, ["Close", () => {}]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-xs btn-quiet";
      button.textContent = label;
      button.addEventListener("click", () => {
        note.remove();
        card.querySelector("[data-move]").focus();
        act();
      });
      note.append(button);
    }
    card.append(note);
  }

  say(words) {
    document.querySelector("[data-board-said]").textContent = words;
  }
}

for (const box of document.querySelectorAll("[data-board]")) new Board(box).start();
