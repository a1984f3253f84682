// A form that the server sends anew keeps what was typed while it was asked, and what was opened ([id]) stays open.
const asked = new WeakMap(); // by request: what its form held when it was sent
const typed = new WeakMap(); // by request: what came since
const told = new WeakMap(); // by request: the controls of the new form that have it

// The controls of a form by name, and by place among those of one name.
function controls(form) {
  const found = new Map();
  for (const one of form.elements) {
    if (!one.name || one.type === "hidden" || one.type === "submit") continue;
    const place = [...form.querySelectorAll(`[name="${CSS.escape(one.name)}"]`)].indexOf(one);
    found.set(`${one.name} ${place}`, one);
  }
  return found;
}

const held = (control) => (control.type === "checkbox" || control.type === "radio" ? control.checked : control.value);

function formOf(event) {
  const form = event.detail.target?.closest("form");
  return form?.id ? form : null;
}

function keepOpen() {
  let open = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    open = [...(event.detail.target?.querySelectorAll("details[id][open]") ?? [])].map((one) => one.id);
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  });
}

export function startSwaps() {
  keepOpen();
  document.addEventListener("htmx:beforeRequest", (event) => {
    const form = formOf(event);
    if (form) asked.set(event.detail.xhr, new Map([...controls(form)].map(([key, one]) => [key, held(one)])));
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const form = formOf(event);
    const before = form && asked.get(event.detail.xhr);
    if (!before) return;
    const since = [...controls(form)].filter(([key, one]) => before.has(key) && before.get(key) !== held(one));
    typed.set(event.detail.xhr, { id: form.id, since: since.map(([key, one]) => [key, held(one), one.type]) });
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const { id, since } = typed.get(event.detail.xhr) ?? {};
    const form = id && document.getElementById(id);
    if (!form) return;
    const fresh = controls(form);
    const kept = [];
    for (const [key, value, type] of since) {
      const control = fresh.get(key);
      if (control?.type !== type) continue;
      if (typeof value === "boolean") control.checked = value;
      else control.value = value;
      kept.push(control);
    }
    told.set(event.detail.xhr, kept);
  });
  // Once the new form listens: what a choice had asked for went with the form before.
  document.addEventListener("htmx:afterSettle", (event) => {
    for (const control of told.get(event.detail.xhr) ?? []) {
      control.dispatchEvent(new Event("input", { bubbles: true }));
      if (control.matches("select")) control.dispatchEvent(new Event("change", { bubbles: true }));
    }
    told.delete(event.detail.xhr);
  });
}
