// Light, dark or the system's, remembered: [data-theme-set="light|dark|system"].
const KEY = "vivero-theme";

function remember(choice) {
  try {
    if (choice === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, `vivero-${choice}`);
  } catch {
    // Storage may be forbidden; the choice then lasts for this page.
  }
}

function current() {
  return (document.documentElement.dataset.theme ?? "vivero-system").slice("vivero-".length);
}

function mark() {
  for (const button of document.querySelectorAll("[data-theme-set]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeSet === current()));
  }
}

export function startTheme() {
  mark();
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-set]");
    if (!button) return;
    const choice = button.dataset.themeSet;
    remember(choice);
    if (choice === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = `vivero-${choice}`;
    mark();
  });
}
