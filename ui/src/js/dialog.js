// Dialogs: [data-dialog-open="id"] opens <dialog id>, [data-dialog-close] closes its own.
// A click on the backdrop closes it too; Escape is the browser's own. An opener that is a
// link goes to the same dialog on a page of the server's when there is no script.
function show(dialog) {
  dialog.showModal();
  const invalid = dialog.querySelector("[aria-invalid=true]");
  (invalid ?? dialog.querySelector("input:not([type=hidden]), select, textarea"))?.focus();
}

export function startDialogs() {
  for (const dialog of document.querySelectorAll("dialog[data-open]")) {
    dialog.close();
    show(dialog);
  }
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog-open]");
    if (opener) {
      event.preventDefault();
      show(document.getElementById(opener.dataset.dialogOpen));
    }
    event.target.closest("[data-dialog-close]")?.closest("dialog").close();
    if (event.target instanceof HTMLDialogElement) event.target.close();
  });
}
