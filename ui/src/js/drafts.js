// What was typed into a form that was sent stays in this tab until a page of ours answers: while a program starts anew,
// the proxy answers for it, and the way back leads to the form as it was at first. Passwords are not kept.
const KEY = "vivero-sent";
const NEVER = new Set(["hidden", "password", "file", "submit", "button"]);

// Only what differs from the page as it came: all else may have been changed by others since.
function touched(input) {
  if (input.type === "checkbox" || input.type === "radio") return input.checked !== input.defaultChecked;
  if (input.options) return [...input.options].some((option) => option.selected !== option.defaultSelected);
  return input.value !== input.defaultValue;
}

function typed(form) {
  // With the version that it is based on, so that others' changes are told.
  return [...form.elements]
    .filter((input) => input.name === "version" || (input.name && !NEVER.has(input.type) && touched(input)))
    .map(({ name, type, value, checked }) => ({ name, type, value, checked }));
}

function put(form, kept) {
  for (const input of form.elements) {
    const radio = kept.type === "radio";
    if (input.name !== kept.name || (radio && input.value !== kept.value)) continue;
    if (radio || kept.type === "checkbox") input.checked = kept.checked;
    else input.value = kept.value;
  }
}

function restore({ page, action, texts }) {
  const [navigation] = performance.getEntriesByType("navigation");
  const form = [...document.forms].find((one) => one.method === "post" && one.getAttribute("action") === action);
  if (page !== location.href || !form || !["back_forward", "reload"].includes(navigation?.type)) return;
  for (const kept of texts) put(form, kept);
}

export function startDrafts() {
  const sent = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  if (sent) restore(JSON.parse(sent));
  document.addEventListener("submit", ({ target: form }) => {
    if (form.method !== "post") return;
    const action = form.getAttribute("action"); // `form.action` may be its button of that name
    sessionStorage.setItem(KEY, JSON.stringify({ page: location.href, action, texts: typed(form) }));
  });
}
