// A one-time link has its secret behind the #, which is sent to nobody. [data-link-secret] takes it into its input and
// out of the address bar, and is seen no more; without script a person pastes it. form[data-send-at-once] then goes.
export function startSecret() {
  const box = document.querySelector("[data-link-secret]");
  const secret = location.hash.slice(1);
  if (!box || !secret) return;
  history.replaceState(null, "", location.pathname + location.search);
  box.querySelector("input").value = secret;
  box.hidden = true;
  const form = box.closest("form");
  if (form.matches("[data-send-at-once]")) form.requestSubmit();
}
