import { startWork } from "./work.js";

// Forms work without script. With it: a slug preview, a password that can be shown,
// fields that submit on change, and no second submit while the first is under way.
// The preview's rules are those of vivero_core.model.naming.slugify, which decides; an end-to-end test compares.
const LETTERS = { ß: "ss", æ: "ae", œ: "oe", ø: "o", đ: "d", ð: "d", ł: "l", þ: "th", ı: "i", "&": " and " };
const FALLBACK = "workspace";

export function slugify(name) {
  const words = name
    .toLowerCase()
    .replace(/[ßæœøđðłþı&]/g, (letter) => LETTERS[letter])
    .normalize("NFKD")
    .replace(/[^\x00-\x7f]/g, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  if (words === "") return FALLBACK;
  const slug = (/^[a-z]/.test(words) ? words : `w-${words}`).slice(0, 40).replace(/-+$/, "");
  return slug.length < 3 ? `${slug}-${FALLBACK}` : slug;
}

function slugPreview(root) {
  for (const target of root.querySelectorAll("[data-slug-from]")) {
    const source = document.getElementById(target.dataset.slugFrom);
    const own = document.getElementById(target.dataset.slugOwn);
    const show = () => {
      const named = source.value.trim() ? slugify(source.value) : target.dataset.slugEmpty;
      target.textContent = own?.value.trim().toLowerCase() || named;
    };
    source.addEventListener("input", show);
    own?.addEventListener("input", show);
    show();
  }
}

function passwordToggle() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-password-toggle]");
    if (!button) return;
    const input = document.getElementById(button.dataset.passwordToggle);
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!shown));
  });
}

function submitOnce() {
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return; // a dialog of a script is used again
    if (event.target.dataset.sent !== undefined) {
      event.preventDefault();
      return;
    }
    event.target.dataset.sent = "";
    event.submitter?.setAttribute("aria-busy", "true");
  });
  // Back from the browser's cache: the form may be sent again.
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
    }
  });
}

// form[data-keep-secrets]: when fields are wrong the server sends the form back without the password.
// So the answer is put into this page, and what was typed into password fields stays.
function keepSecrets() {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-keep-secrets]")) return;
    event.preventDefault();
    if (form.dataset.sent !== undefined) return;
    form.dataset.sent = "";
    event.submitter?.setAttribute("aria-busy", "true");
    await send(form);
  });
}

async function send(form) {
  let answer;
  try {
    answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { "x-scripted-form": "1", accept: "text/html" },
    });
  } catch {
    form.submit(); // the browser's own page says what is wrong with the connection
    return;
  }
  if (answer.status === 201) {
    location.assign(answer.headers.get("location"));
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("form[data-keep-secrets]");
  if (!fresh) {
    document.querySelector("main").replaceWith(page.querySelector("main"));
    return;
  }
  for (const input of form.querySelectorAll("[autocomplete=new-password], [autocomplete=current-password]")) {
    const same = fresh.querySelector(`[name="${input.name}"]`);
    same.value = input.value;
  }
  form.replaceWith(fresh);
  slugPreview(fresh);
  startWork(fresh);
  (fresh.querySelector("[aria-invalid=true]") ?? fresh.querySelector("input:not([type=hidden])")).focus();
}

function submitOnChange() {
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-submit-on-change]");
    if (form && event.target.matches("select, input[type=checkbox], input[type=radio]")) form.requestSubmit();
  });
}

export function startForms() {
  slugPreview(document);
  passwordToggle();
  keepSecrets();
  submitOnce();
  submitOnChange();
}
