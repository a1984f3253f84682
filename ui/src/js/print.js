// [data-print] prints the page, which a browser also saves as PDF. Paper is light, and what [data-printed] folds is on it.
export function startPrinting() {
  const root = document.documentElement;
  let theme;
  let opened = [];

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });
  window.addEventListener("beforeprint", () => {
    theme = root.dataset.theme;
    root.dataset.theme = "vivero-light";
    opened = [...document.querySelectorAll("details[data-printed]:not([open])")];
    for (const details of opened) details.open = true;
  });
  window.addEventListener("afterprint", () => {
    if (theme === undefined) delete root.dataset.theme;
    else root.dataset.theme = theme;
    for (const details of opened) details.open = false;
  });
}
