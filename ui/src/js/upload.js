// Uploads: <form data-upload data-upload-max="bytes"> works without script. With it a file may be
// dropped on the form, one that is too large is refused before it travels, and the way is shown.
const UNITS = ["B", "KiB", "MiB", "GiB"];

function size(bytes) {
  let unit = 0;
  while (bytes >= 1024 && unit < UNITS.length - 1) {
    bytes /= 1024;
    unit += 1;
  }
  return `${bytes.toFixed(unit ? 1 : 0).replace(/\.0$/, "")} ${UNITS[unit]}`;
}

/* Uploads a file by the API: the file as it is stored, or what is wrong in words. */
export async function store(url, file) {
  const body = new FormData();
  body.append("file", file);
  const answer = await fetch(url, { method: "POST", headers: { Accept: "application/json" }, body }).catch(() => null);
  const said = answer && (await answer.json().catch(() => null));
  if (answer?.ok) return { stored: said };
  return { problem: said?.detail ?? (answer ? `Not stored: the server answered ${answer.status}.` : "Not stored: there is no connection.") };
}

export function tooLarge(file, limit) {
  return file.size > limit ? `${size(file.size)} is more than the ${size(limit)} that fit` : "";
}

function say(form, name, words, value) {
  const panel = form.querySelector("[data-upload-progress]");
  panel.hidden = false;
  panel.querySelector("[data-upload-name]").textContent = name;
  panel.querySelector("[data-upload-words]").textContent = words;
  panel.querySelector("progress").value = value;
}

function send(form, file) {
  const problem = tooLarge(file, Number(form.dataset.uploadMax));
  if (problem) {
    say(form, file.name, problem, 0);
    return;
  }
  const body = new FormData();
  body.append("file", file);
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) say(form, file.name, `${size(event.loaded)} of ${size(event.total)}`, (100 * event.loaded) / event.total);
  });
  request.addEventListener("load", () => {
    // The server's own page says what happened: the list after the redirect, or the form with its error.
    if (request.status < 400) {
      location.assign(request.responseURL);
      return;
    }
    const answer = new DOMParser().parseFromString(request.responseText, "text/html");
    const words = answer.querySelector("[role=alert]")?.textContent.trim() || `The server answered ${request.status}.`;
    say(form, file.name, words, 0);
    delete form.dataset.sent;
  });
  request.addEventListener("error", () => {
    say(form, file.name, "The connection broke. Nothing was stored; try again.", 0);
    delete form.dataset.sent;
  });
  say(form, file.name, "Starting", 0);
  form.dataset.sent = "";
  request.send(body);
}

function startUpload(form) {
  form.addEventListener("submit", (event) => {
    const file = form.querySelector("input[type=file]").files[0];
    if (!file) return;
    event.preventDefault();
    if (form.dataset.sent === undefined) send(form, file);
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    form.addEventListener(kind, (event) => {
      event.preventDefault();
      form.toggleAttribute("data-over", kind === "dragover");
    });
  }
  form.addEventListener("drop", (event) => {
    const file = event.dataTransfer.files[0];
    if (file && form.dataset.sent === undefined) send(form, file);
  });
}

export function startUploads() {
  for (const form of document.querySelectorAll("form[data-upload]")) startUpload(form);
}
