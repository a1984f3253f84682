// Of a page that stands in for another (`vivero_ui.alone`): asks for the other one until it is there, and only then
// loads it. A page that reloads by itself starts over for screen readers. [data-seconds]: how long to wait.
const seconds = Number(document.currentScript.dataset.seconds);

async function isThere() {
  try {
    const answer = await fetch(location.href, { cache: "no-store", headers: { accept: "text/html" } });
    const { title } = new DOMParser().parseFromString(await answer.text(), "text/html");
    // Who speaks of an error without a page of ours is something in between, which also goes away.
    return answer.status < 500 || (title !== "" && title !== document.title);
  } catch {
    return false; // no connection, for the moment
  }
}

async function look() {
  if (await isThere()) location.reload();
  else wait();
}

// Of many visitors not all ask at once.
const wait = () => setTimeout(look, seconds * 1000 * (1 + Math.random() / 2));
wait();
