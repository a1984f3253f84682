// Toasts: say something for a while in the page's live region; [data-toast] texts of the server are shown at start.
const SHOWN_MS = 6000;

export function toast(message, kind = "info") {
  const region = document.getElementById("toasts");
  const template = document.getElementById("toast-template");
  if (!region || !template) return;
  const item = template.content.firstElementChild.cloneNode(true);
  item.dataset.kind = kind;
  item.querySelector("[data-toast-text]").textContent = message;
  item.querySelector("button").addEventListener("click", () => item.remove());
  region.append(item);
  setTimeout(() => item.remove(), SHOWN_MS);
}

export function startToasts() {
  document.addEventListener("toast", (event) => toast(event.detail.message, event.detail.kind));
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr } = event.detail;
    const id = xhr.getResponseHeader("x-request-id"); // every answer of ours has one; else something between us spoke
    if (id) toast(`That did not work (${xhr.status}). Request ${id}. Nothing was changed.`, "error");
    else toast("There is no answer at the moment. Try again in a few seconds.", "error");
  });
  document.addEventListener("htmx:sendError", () => toast("No connection. Check your network and try again.", "error"));
}
