// <time data-relative datetime="…">: relative words, the exact time in the reader's zone on hover.
const STEPS = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];
const words = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "long" });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long" });

export function relative(then, now) {
  const seconds = (then - now) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return words.format(Math.trunc(seconds / size), unit);
  }
  return seconds > 1 ? "in a moment" : "just now";
}

function refresh(root) {
  const now = Date.now();
  for (const element of root.querySelectorAll("time[data-relative]")) {
    const then = new Date(element.dateTime);
    if (Number.isNaN(then.getTime())) continue;
    element.textContent = relative(then.getTime(), now);
    element.title = exact.format(then);
  }
}

export function startTime() {
  refresh(document);
  setInterval(() => refresh(document), 30_000);
  document.addEventListener("htmx:load", (event) => refresh(event.target.parentElement ?? document));
}
