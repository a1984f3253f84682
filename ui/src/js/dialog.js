// Dialogs: [data-dialog-open="id"] opens <dialog id>, [data-dialog-close] closes its own.
// A click on the backdrop closes it too; Escape is the browser's own.
export function startDialogs() {
  for (const dialog of document.querySelectorAll("dialog[data-open]")) dialog.showModal();
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog-open]");
    if (opener) document.getElementById(opener.dataset.dialogOpen)?.showModal();
    const closer = event.target.closest("[data-dialog-close]");
    if (closer) closer.closest("dialog").close();
    if (event.target instanceof HTMLDialogElement) event.target.close();
  });
}
