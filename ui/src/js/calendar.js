// A calendar: <ol data-calendar> of days with entries. An entry is dragged to another day, or moved by its button; both send the
// form of the dialog, and the page comes back as it is then.
const box = document.querySelector("[data-calendar]");
const dialog = document.getElementById("move-entry");

if (box && dialog) start();

function start() {
  const form = dialog.querySelector("form");
  let dragged = null;
  let opener = null;

  const fill = (entry) => {
    form.elements.record.value = entry.dataset.id;
    form.elements.version.value = entry.dataset.version;
    form.elements.day.value = entry.closest("[data-day]").dataset.day;
  };
  const mark = (day) => {
    for (const one of box.querySelectorAll(".v-over")) one.classList.remove("v-over");
    day?.classList.add("v-over");
  };

  for (const button of box.querySelectorAll("[data-move]")) button.hidden = false;
  box.addEventListener("click", (event) => {
    opener = event.target.closest("[data-move]");
    if (!opener) return;
    const entry = opener.closest(".v-entry");
    fill(entry);
    dialog.querySelector("h2").textContent = `Move ${entry.querySelector("a").textContent.trim()}`;
    dialog.showModal();
    form.elements.day.focus();
  });
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => opener?.focus());
  box.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.(".v-entry");
    event.dataTransfer.effectAllowed = "move";
    if (dragged) event.dataTransfer.setData("text/plain", dragged.dataset.id);
  });
  box.addEventListener("dragover", (event) => {
    const day = event.target.closest("[data-day]");
    if (!dragged || !day) return;
    event.preventDefault();
    mark(day);
  });
  box.addEventListener("dragend", () => mark(null));
  box.addEventListener("drop", (event) => {
    const day = event.target.closest("[data-day]");
    mark(null);
    if (!dragged || !day || day === dragged.closest("[data-day]")) return;
    event.preventDefault();
    fill(dragged);
    form.elements.day.value = day.dataset.day;
    form.requestSubmit();
  });
}
