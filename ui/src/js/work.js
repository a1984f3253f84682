// Proof of work (altcha's protocol): input[data-work] has a challenge. This finds its number, puts the proof into the input
// and sends the form, which a person has sent already. By itself it does so once: a refused proof waits for the button.
const BATCH = 500; // digests at once, so that the page stays alive
const encoder = new TextEncoder();
let sent = false;

async function digest(text) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function solve({ challenge, salt, maxnumber }) {
  for (let first = 0; first < maxnumber; first += BATCH) {
    const found = await Promise.all(Array.from({ length: BATCH }, (_, more) => digest(salt + (first + more))));
    const more = found.indexOf(challenge);
    if (more >= 0) return first + more;
  }
  throw new Error("the challenge has no number");
}

export async function startWork(root = document) {
  const input = root.querySelector("input[data-work]");
  if (!input) return;
  const challenge = JSON.parse(input.dataset.work);
  const button = input.form.querySelector("button:not([type=button])");
  button.disabled = true;
  const { algorithm, salt, signature } = challenge;
  const number = await solve(challenge);
  input.value = btoa(JSON.stringify({ algorithm, challenge: challenge.challenge, number, salt, signature }));
  button.disabled = false;
  input.form.querySelector("[data-work-state]").textContent = "Your browser has calculated.";
  if (sent) return;
  sent = true;
  input.form.requestSubmit();
}
