// Widths and places of columns by hand. A width is kept in the view where one may change it, else in
// this browser; places are what the form of columns says, which the page shows then.
import { send } from "./saving.js";

const NARROWEST = 64;
const WIDEST = 720;
const FOCUS = "grid-focus";

export function startColumns(grid) {
  const { of, view } = grid.box.dataset;
  const key = `grid-${of}`;
  const kept = read(key);
  let changed = {};
  let later;
  const idOf = (head) => head.dataset.field ?? "changed";
  const keep = () => localStorage.setItem(key, JSON.stringify(kept));
  const save = () => {
    clearTimeout(later);
    later = setTimeout(async () => {
      const widths = changed;
      changed = {};
      if (!Object.keys(widths).length) return;
      const { words } = await send("PATCH", `/api/v1${grid.path}/views/${view}`, { widths });
      if (words) grid.say(words);
    }, 400);
  };
  const remember = (head, width) => {
    if (view && head.dataset.name) {
      changed[head.dataset.name] = width;
      save();
    } else {
      if (width === null) delete kept.widths[idOf(head)];
      else kept.widths[idOf(head)] = `${width}px`;
      keep();
    }
  };
  const set = (head, width) => {
    const bounded = Math.max(NARROWEST, Math.min(WIDEST, Math.round(width)));
    head.style.width = `${bounded}px`;
    return bounded;
  };

  let resized = false;
  for (const head of grid.heads.slice(1)) {
    const own = view && head.dataset.name ? "" : kept.widths[idOf(head)];
    if (own || head.dataset.width) head.style.width = own || `${head.dataset.width}px`;
    const handle = document.createElement("span");
    handle.className = "v-resize";
    handle.title = "Drag to change the width; double-click for the usual one";
    head.append(handle);
    handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      resized = true;
      handle.setPointerCapture(event.pointerId);
      const begin = head.getBoundingClientRect().width - event.clientX;
      let width = null;
      const move = (moved) => (width = set(head, begin + moved.clientX));
      handle.addEventListener("pointermove", move);
      handle.addEventListener("lostpointercapture", () => {
        resized = false;
        handle.removeEventListener("pointermove", move);
        if (width !== null) remember(head, width);
      }, { once: true });
    });
    handle.addEventListener("dblclick", () => {
      head.style.width = "";
      remember(head, null);
    });
  }

  grid.widen = (cell, by) => {
    const head = grid.heads[cell.cellIndex];
    if (cell.cellIndex > 0) remember(head, set(head, head.getBoundingClientRect().width + by));
  };

  startPlaces(grid, () => resized);
}

/* The first column leads, and when a record was changed stands last: neither moves. */
function startPlaces(grid, resizing) {
  const form = document.querySelector("form[data-columns]");
  if (!form) return;
  const heads = grid.heads.slice(2).filter((head) => head.dataset.column);
  const arrange = (order) => {
    form.elements.order.value = order.map((head) => head.dataset.column).join(".");
    if (grid.current) sessionStorage.setItem(FOCUS, JSON.stringify([grid.path, grid.current.parentElement.dataset.id, grid.field(grid.current).column]));
    form.submit();
  };
  const put = (head, beside, after) => {
    const rest = heads.filter((one) => one !== head);
    const place = rest.indexOf(beside) + (after ? 1 : 0);
    arrange([...rest.slice(0, place), head, ...rest.slice(place)]);
  };

  grid.shift = (cell, step) => {
    const place = heads.indexOf(grid.heads[cell.cellIndex]);
    const beside = place < 0 ? undefined : heads[place + step];
    if (beside) put(heads[place], beside, step > 0);
  };

  let dragged = null;
  const mark = (head, side) => {
    for (const one of heads) delete one.dataset.drop;
    if (head) head.dataset.drop = side;
  };
  const target = (event) => {
    const head = heads.find((one) => one === event.target.closest("th"));
    if (!dragged || !head || head === dragged) return [];
    const { left, width } = head.getBoundingClientRect();
    return [head, event.clientX > left + width / 2];
  };
  for (const head of heads) head.draggable = true;
  grid.table.tHead.addEventListener("dragstart", (event) => {
    dragged = heads.find((head) => head === event.target.closest("th")) ?? null;
    if (!dragged || resizing()) {
      event.preventDefault();
      dragged = null;
      return;
    }
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.name);
  });
  grid.table.tHead.addEventListener("dragover", (event) => {
    const [head, after] = target(event);
    mark(head, after ? "after" : "before");
    if (head) event.preventDefault();
  });
  grid.table.tHead.addEventListener("drop", (event) => {
    const [head, after] = target(event);
    if (!head) return;
    event.preventDefault();
    put(dragged, head, after);
  });
  grid.table.tHead.addEventListener("dragend", () => {
    dragged = null;
    mark(null);
  });
  restore(grid);
}

/* The cell that had the focus before a column was moved. */
function restore(grid) {
  const [path, id, column] = JSON.parse(sessionStorage.getItem(FOCUS) ?? "[]");
  sessionStorage.removeItem(FOCUS);
  const place = grid.heads.findIndex((head) => head.dataset.column === column);
  const cell = path === grid.path && place > 0 ? grid.row(id)?.cells[place] : null;
  if (cell) grid.go(cell);
}

function read(key) {
  try {
    return { widths: {}, ...JSON.parse(localStorage.getItem(key)) };
  } catch {
    return { widths: {} };
  }
}
