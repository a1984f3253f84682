// Links to records and people: an input with data-picker="/api/v1/…" gets, as one types, what the server finds by these words in
// its <datalist>, as "Acme GmbH #17". The number is what counts; without this script it is typed.
const PAUSE_MS = 150; // between two keys of somebody who is still typing
const CHOSEN = /#\d+$/;

let wait;
let asked;
let lists = 0;

function listOf(input) {
  if (input.list?.isConnected) return input.list;
  const list = document.createElement("datalist");
  list.id = `picker-${++lists}`;
  input.after(list);
  input.setAttribute("list", list.id);
  return list;
}

async function find(input) {
  asked?.abort();
  asked = new AbortController();
  try {
    const address = `${input.dataset.picker}?q=${encodeURIComponent(input.value.trim())}`;
    const answer = await fetch(address, { headers: { accept: "application/json" }, signal: asked.signal });
    if (!answer.ok) return;
    const { items } = await answer.json();
    listOf(input).replaceChildren(...items.map(({ id, title }) => new Option("", `${title} #${id}`)));
  } catch {
    // Another key was pressed, or nothing answers: a number can still be typed.
  }
}

function later(event) {
  const input = event.target;
  if (!input.dataset?.picker || CHOSEN.test(input.value)) return;
  clearTimeout(wait);
  wait = setTimeout(() => find(input), event.type === "focusin" ? 0 : PAUSE_MS);
}

export function startPickers() {
  document.addEventListener("focusin", later);
  document.addEventListener("input", later);
}
