// Live steps: [data-progress="url"] listens to server-sent events. `steps` carries the HTML of the
// list as the server renders it, with the form that leads on or without; `done` has an address to go to without.
// A lost stream reconnects by itself.
import { sendAtOnce } from "./secret.js";

export function startProgress() {
  const region = document.querySelector("[data-progress]");
  if (!region) return;
  const stream = new EventSource(region.dataset.progress);
  stream.addEventListener("steps", (event) => {
    region.innerHTML = event.data;
  });
  stream.addEventListener("done", (event) => {
    stream.close();
    if (!sendAtOnce()) location.assign(event.data);
  });
  stream.addEventListener("failed", () => {
    stream.close();
    location.reload();
  });
  clock();
}

// [data-since="ISO time"]: seconds since then, counting.
function clock() {
  const tick = () => {
    for (const element of document.querySelectorAll("[data-since]")) {
      const seconds = Math.max(0, (Date.now() - Date.parse(element.dataset.since)) / 1000);
      element.textContent = `${seconds.toFixed(1)} s`;
    }
  };
  setInterval(tick, 100);
  tick();
}
