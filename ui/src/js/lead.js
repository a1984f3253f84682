// Where a visitor came from goes along in the links to the next public page, up to the signup's form: no cookie and no
// storage. The server bounds and cleans it.
const NAMES = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "referrer"];
const LONGEST = 100;
const LED_ON = "a[href='/'], a[href='/pricing'], a[href='/signup']";

function said() {
  const here = new URLSearchParams(location.search);
  const kept = new URLSearchParams();
  for (const name of NAMES) {
    if (here.get(name)) kept.set(name, here.get(name).slice(0, LONGEST));
  }
  const from = URL.parse?.(document.referrer)?.host;
  if (!kept.has("referrer") && from && from !== location.host) kept.set("referrer", from.slice(0, LONGEST));
  return kept.toString();
}

export function startLead() {
  const query = said();
  if (!query) return;
  for (const link of document.querySelectorAll(LED_ON)) link.search = query;
}
