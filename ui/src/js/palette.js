// ⌘K / Ctrl K: filter the commands of <dialog id="palette">, move with the arrows, go with Enter.
// The last entry, [data-palette-search], carries the typed words to the server's own search.
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
  const words = palette.querySelector("input").value.trim().toLowerCase();
  for (const option of palette.querySelectorAll("[role=option]")) {
    const search = option.dataset.paletteSearch;
    if (search) {
      option.hidden = words === "";
      option.href = `${search}${encodeURIComponent(words)}`;
      option.querySelector("[data-palette-words]").textContent = words;
    } else {
      option.hidden = !option.textContent.toLowerCase().includes(words);
    }
  }
  palette.querySelector("[data-palette-none]").hidden = visible(palette).length > 0;
  select(palette, visible(palette)[0]);
}

function move(palette, by) {
  const options = visible(palette);
  const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  select(palette, options[(at + by + options.length) % options.length]);
}

function open(palette) {
  palette.querySelector("input").value = "";
  filter(palette);
  palette.showModal();
}

export function startPalette() {
  const palette = document.getElementById("palette");
  if (!palette) return;
  palette.addEventListener("input", () => filter(palette));
  palette.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") move(palette, 1);
    else if (event.key === "ArrowUp") move(palette, -1);
    else if (event.key === "Enter") palette.querySelector("[aria-selected=true]")?.click();
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
