// One-time links: input[data-from-fragment] takes what follows the address's #, which no server and no log has seen,
// and the address forgets it. The field's own box, [data-fragment-field], is then no work for the person.
export function startFragment() {
  const input = document.querySelector("input[data-from-fragment]");
  if (!input) return;
  const take = () => {
    if (location.hash.length < 2) return;
    input.value = location.hash.slice(1);
    history.replaceState(history.state, "", location.pathname + location.search);
    input.closest("[data-fragment-field]").hidden = true;
    input.form.querySelector("[autocomplete=new-password]")?.focus();
  };
  addEventListener("hashchange", take);
  take();
}
