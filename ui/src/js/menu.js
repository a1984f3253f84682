// <details class="v-menu">: works without script; this closes it on Escape and on a click elsewhere.
export function startMenus() {
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.v-menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.v-menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}
