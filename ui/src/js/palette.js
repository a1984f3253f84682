// ⌘K / Ctrl K: filter the commands of <dialog id="palette">, move with the arrows, go with Enter.
// The last entry, [data-palette-search], carries the typed words to the server's own search.
// What [data-palette-found] holds is replaced, as one types, by what the server answers at [data-palette-from].
const PAUSE_MS = 120; // between two keys of somebody who is still typing

let first; // what was found before anything was typed
let wait;
let asked;
let answered = Promise.resolve(); // whether or not something was found for what is typed
let moved = false; // whether the arrows chose, not we

function typed(palette) {
  return palette.querySelector("input").value.trim();
}

function visible(palette) {
  return [...palette.querySelectorAll("[role=option]")].filter((option) => !option.hidden);
}

function select(palette, option) {
  for (const other of palette.querySelectorAll("[role=option]")) {
    other.setAttribute("aria-selected", String(other === option));
  }
  const input = palette.querySelector("input");
  if (option) {
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else {
    input.removeAttribute("aria-activedescendant");
  }
}

function filter(palette) {
  const words = typed(palette);
  for (const option of palette.querySelectorAll("[role=option]")) {
    const search = option.dataset.paletteSearch;
    if (search) {
      option.hidden = words === "";
      option.href = `${search}${encodeURIComponent(words)}`;
      option.querySelector("[data-palette-words]").textContent = words;
    } else if (!option.closest("[data-palette-answer]")) {
      // The server finds more than these letters: accents, case, composition.
      option.hidden = !option.textContent.toLowerCase().includes(words.toLowerCase());
    }
  }
  const options = visible(palette);
  palette.querySelector("[data-palette-none]").hidden = options.length > 0;
  const chosen = options.find((option) => moved && option.getAttribute("aria-selected") === "true");
  select(palette, chosen ?? options[0]);
}

function put(palette, options, answered) {
  const found = palette.querySelector("[data-palette-found]");
  found.toggleAttribute("data-palette-answer", answered);
  found.replaceChildren(...options);
  filter(palette);
}

async function ask(palette) {
  asked = new AbortController();
  try {
    const address = palette.dataset.paletteFrom + encodeURIComponent(typed(palette));
    const answer = await fetch(address, { headers: { accept: "text/html" }, signal: asked.signal });
    // Redirected: to the login. The search entry leads there, too.
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    put(palette, page.querySelectorAll("[role=option]"), true);
  } catch {
    // Another key was pressed, or nothing answers: what is shown stays.
  }
}

function change(palette) {
  moved = false;
  filter(palette);
  if (!palette.dataset.paletteFrom) return;
  clearTimeout(wait);
  asked?.abort();
  answered = Promise.resolve();
  if (typed(palette) === "") {
    put(palette, first, false);
    return;
  }
  answered = new Promise((resolve) => {
    wait = setTimeout(() => ask(palette).finally(resolve), PAUSE_MS);
  });
}

async function go(palette) {
  await answered;
  palette.querySelector("[aria-selected=true]")?.click();
}

function move(palette, by) {
  const options = visible(palette);
  const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  moved = true;
  select(palette, options[(at + by + options.length) % options.length]);
}

function open(palette) {
  palette.querySelector("input").value = "";
  change(palette);
  palette.showModal();
}

export function startPalette() {
  const palette = document.getElementById("palette");
  if (!palette) return;
  first = [...palette.querySelector("[data-palette-found]").children];
  palette.addEventListener("input", () => change(palette));
  palette.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") move(palette, 1);
    else if (event.key === "ArrowUp") move(palette, -1);
    else if (event.key === "Enter") go(palette);
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey)) return;
    event.preventDefault();
    if (palette.open) palette.close();
    else open(palette);
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-palette-open]")) open(palette);
  });
}
