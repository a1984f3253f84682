// [data-reload-after="seconds"]: look again by itself, unless the tab is hidden; then when it is seen again.
export function startReload() {
  const element = document.querySelector("[data-reload-after]");
  if (!element) return;
  setTimeout(() => {
    if (!document.hidden) location.reload();
    else document.addEventListener("visibilitychange", () => location.reload(), { once: true });
  }, Number(element.dataset.reloadAfter) * 1000);
}
