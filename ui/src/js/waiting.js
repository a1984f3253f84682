// A form is sent when the program behind the page answers: while it restarts, the proxy would answer in its words,
// or our page that stands in, and what was typed would have to be sent again. The form waits, and goes by itself.
import { toast } from "./toast.js";

const SCRIPTED = "[hx-post], [hx-put], [hx-patch], [hx-delete]"; // these stay in their page, whatever the answer
const PAUSE_MS = 1500;
const PATIENCE_MS = 120_000;
const waiting = new WeakSet();
const passed = new WeakSet();

// Every answer of ours has an id; a page that stands in for the program says 503.
async function isThere() {
  try {
    const answer = await fetch("/healthz", { method: "HEAD", cache: "no-store" });
    return answer.status < 500 && answer.headers.has("x-request-id");
  } catch {
    return false; // no connection, for the moment
  }
}

// Whether it answered at last. Of many visitors not all ask at once.
async function isThereAtLast() {
  const end = Date.now() + PATIENCE_MS;
  if (await isThere()) return true;
  toast("There is no answer at the moment. What you typed is kept here, and sent as soon as there is one.");
  while (Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * (1 + Math.random() / 2)));
    if (await isThere()) return true;
  }
  return false;
}

async function send(form, submitter) {
  waiting.add(form);
  submitter?.setAttribute("aria-busy", "true");
  const there = await isThereAtLast();
  waiting.delete(form);
  submitter?.removeAttribute("aria-busy");
  if (!there) {
    toast("There is still no answer. Nothing was sent, and what you typed is still here. Try again later.", "error");
  } else if (form.isConnected) {
    passed.add(form);
    form.requestSubmit(submitter?.isConnected ? submitter : undefined);
  }
}

export function startWaiting() {
  const hold = (event) => {
    const { target: form, submitter } = event;
    if (form.getAttribute("method") !== "post" || form.matches(SCRIPTED) || passed.delete(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!waiting.has(form)) send(form, submitter);
  };
  // Before every other listener: they see a form that goes.
  document.addEventListener("submit", hold, true);
}
