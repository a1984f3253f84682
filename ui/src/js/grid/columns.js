// Widths of columns and height of rows, by hand: remembered in this browser, by collection.
const NARROWEST = 64;
const WIDEST = 720;

export function startColumns(grid) {
  const key = `grid-${grid.box.dataset.of}`;
  const kept = read(key);
  const save = () => localStorage.setItem(key, JSON.stringify(kept));
  const set = (head, width) => {
    head.style.width = `${Math.max(NARROWEST, Math.min(WIDEST, Math.round(width)))}px`;
    kept.widths[head.dataset.field ?? "changed"] = head.style.width;
  };

  for (const head of grid.heads.slice(1)) {
    const width = kept.widths[head.dataset.field ?? "changed"];
    if (width) head.style.width = width;
    const handle = document.createElement("span");
    handle.className = "v-resize";
    handle.title = "Drag to change the width; double-click for the usual one";
    head.append(handle);
    handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      handle.setPointerCapture(event.pointerId);
      const begin = head.getBoundingClientRect().width - event.clientX;
      const move = (moved) => set(head, begin + moved.clientX);
      handle.addEventListener("pointermove", move);
      handle.addEventListener("lostpointercapture", () => {
        handle.removeEventListener("pointermove", move);
        save();
      }, { once: true });
    });
    handle.addEventListener("dblclick", () => {
      head.style.width = "";
      delete kept.widths[head.dataset.field ?? "changed"];
      save();
    });
  }

  grid.widen = (cell, by) => {
    const head = grid.heads[cell.cellIndex];
    if (cell.cellIndex === 0) return;
    set(head, head.getBoundingClientRect().width + by);
    save();
  };

  const button = document.querySelector("[data-grid-compact]");
  const show = () => {
    grid.table.classList.toggle("v-compact", kept.compact);
    button.setAttribute("aria-pressed", String(kept.compact));
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    kept.compact = !kept.compact;
    show();
    save();
  });
  show();
}

function read(key) {
  try {
    return { widths: {}, compact: false, ...JSON.parse(localStorage.getItem(key)) };
  } catch {
    return { widths: {}, compact: false };
  }
}
