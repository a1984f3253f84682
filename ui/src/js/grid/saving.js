// What the grid says to the API, and what the API answers.
const NO_CONNECTION = "Not saved: there is no connection. What you typed is still here.";

export async function send(method, url, body, headers = {}) {
  let answer;
  try {
    answer = await fetch(url, {
      method,
      headers: { "Content-Type": "application/json", Accept: "application/json", ...headers },
      body: JSON.stringify(body),
    });
  } catch {
    return { status: 0, errors: [], words: NO_CONNECTION };
  }
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return { status: answer.status, data: said, errors: [], words: "" };
  if (answer.status === 401) said.detail = "Not saved: you are logged out. Log in again in another tab, then save again.";
  return { status: answer.status, errors: said.errors ?? [], words: said.detail ?? `Not saved: the server answered ${answer.status}.` };
}

/* A message of the API as a sentence. */
export function sentence(words) {
  const text = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/* A value of the API in a few words. */
export function shortly(value) {
  const text = value === null || value === undefined || value === "" ? "nothing" : Array.isArray(value) ? value.join(", ") : String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
