// A one-time link has its secret behind the #, which is sent to nobody. [data-link-secret] takes it into its input and
// out of the address bar, and is seen no more; without script a person pastes it. Says whether there was one.
function takeSecret() {
  const box = document.querySelector("[data-link-secret]");
  const secret = location.hash.slice(1);
  if (!box || !secret || document.getElementById(secret)) return false; // the last: a place on this page
  history.replaceState(history.state, "", location.pathname + location.search);
  const input = box.querySelector("input");
  input.value = secret;
  box.hidden = true;
  input.form.querySelector("[autocomplete=new-password]")?.focus();
  return true;
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
  // Another link, opened where its page is already.
  addEventListener("hashchange", () => {
    if (takeSecret()) sendAtOnce();
  });
}
