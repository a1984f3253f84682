// A one-time link has its secret behind the #, which is sent to nobody. [data-link-secret] takes it into its input and
// out of the address bar, and is seen no more; without script a person pastes it.
function takeSecret() {
  const box = document.querySelector("[data-link-secret]");
  const secret = location.hash.slice(1);
  if (!box || !secret) return;
  history.replaceState(null, "", location.pathname + location.search);
  box.querySelector("input").value = secret;
  box.hidden = true;
}

// form[data-send-at-once]: goes by itself if it lacks nothing; says whether it did.
export function sendAtOnce() {
  const form = document.querySelector("form[data-send-at-once]");
  if (!form?.checkValidity()) return false;
  form.requestSubmit();
  return true;
}

export function startSecret() {
  takeSecret();
  sendAtOnce();
}
