// Files in the form of a new record: each is uploaded into the list of files as soon as it is chosen, and the record takes
// it from there when it is made. Without script they are added on the record's page.
import { store, tooLarge } from "./upload.js";

function startField(group) {
  const [list, template] = group.querySelectorAll("ul, template");
  const [problem, status] = group.querySelectorAll("[role=alert], [role=status]");
  const picker = group.querySelector("input[type=file]");
  const form = group.closest("form");
  let uploads = Promise.resolve(); // one after the other, as the server has few places for them

  function complain(words) {
    problem.textContent = words;
    problem.hidden = !words;
  }

  function add(stored) {
    const item = template.content.cloneNode(true);
    const input = item.querySelector("input");
    const [name, button] = item.querySelectorAll("[data-name], button");
    const words = button.getAttribute("aria-label") + stored.name;
    input.name += stored.id;
    input.value = name.textContent = name.title = stored.name;
    for (const attribute of ["aria-label", "title"]) button.setAttribute(attribute, words);
    list.append(item);
  }

  async function upload(files) {
    const limit = Number(group.dataset.uploadMax);
    const problems = [];
    complain("");
    for (const file of files) {
      status.textContent = `Adding ${file.name}.`;
      const large = tooLarge(file, limit);
      const { stored, problem: refused } = large ? { problem: large } : await store("/api/v1/files", file);
      if (stored) add(stored);
      else problems.push(`${file.name}: ${refused}`);
    }
    const added = files.length - problems.length;
    status.textContent = `${added} ${added === 1 ? "file" : "files"} added.`;
    complain(problems.join(" "));
  }

  async function take(files) {
    picker.setAttribute("aria-busy", "true");
    const mine = uploads.then(() => upload(files));
    uploads = mine;
    await mine;
    if (mine === uploads) picker.removeAttribute("aria-busy");
  }

  picker.addEventListener("change", () => {
    const files = [...picker.files];
    picker.value = "";
    take(files);
  });
  list.addEventListener("click", (event) => {
    const item = event.target.closest("[data-take-out]")?.closest("li");
    if (!item) return;
    const id = item.querySelector("input").name.slice(group.dataset.newFiles.length + 1);
    item.remove();
    picker.focus();
    fetch(`/api/v1/files/${id}`, { method: "DELETE" }).catch(() => {}); // else it stays in the list of files
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    group.addEventListener(kind, (event) => {
      event.preventDefault();
      group.toggleAttribute("data-over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files.length) take([...event.dataTransfer.files]);
    });
  }
  form.addEventListener("submit", async (event) => {
    if (!picker.hasAttribute("aria-busy")) return;
    event.preventDefault();
    event.submitter?.setAttribute("aria-busy", "true");
    await uploads;
    event.submitter?.removeAttribute("aria-busy");
    if (problem.hidden) form.requestSubmit(event.submitter);
  });
  picker.hidden = false;
  for (const button of form.querySelectorAll("[name=action][value=files]")) button.hidden = true; // what it is for is here
  group.querySelector("[data-without-script]").hidden = true;
  group.querySelector("[data-with-script]").hidden = false;
}

export function startNewFiles() {
  for (const group of document.querySelectorAll("[data-new-files]")) startField(group);
}
