// Starts the page: fetches what there is, then follows the changes.
import { $, h, toast } from "./dom.js";
import * as guide from "./guide.js";
import * as log from "./log.js";
import * as mail from "./mail.js";
import * as slack from "./slack.js";

const get = async (path) => (await fetch(path, { headers: { accept: "application/json" } })).json();

function tab(name) {
  document.body.dataset.tab = name;
  for (const button of document.querySelectorAll(".tabs button")) {
    button.setAttribute("aria-current", String(button.dataset.tab === name));
    if (button.dataset.tab === name) button.classList.remove("news");
  }
}

const news = (name) => { if (document.body.dataset.tab !== name) document.querySelector(`.tabs [data-tab="${name}"]`)?.classList.add("news"); };

/** At most one request at a time, and one more when something came in between. */
function fresh(path, draw) {
  let busy = false, again = false;
  return async function run() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      do { again = false; draw(await get(path)); guide.draw(); } while (again);
    } catch (wrong) {
      console.error(wrong);
    } finally { busy = false; }
  };
}

function linked(state) {
  const words = { good: "live", bad: "not connected" }[state];
  $("link").replaceChildren(h("span", { class: `dot ${state}` }), words);
}

async function start() {
  const cast = await get("api/cast");
  const scripted = cast.model.scripted;
  $("model").replaceChildren(h("span", { class: `dot ${scripted ? "brass" : "good"}` }), scripted ? "Scripted model " : "Model ", h("b", {}, cast.model.name));
  $("model").title = scripted ? "A small rule-based stand-in, no language model. Set OPENAI_API_KEY to use a real one." : "A real model answers the agent";
  slack.begin(cast, () => guide.draw());
  mail.begin(cast, () => guide.draw());
  guide.begin(cast, tab);
  log.begin();
  for (const button of document.querySelectorAll(".tabs button")) button.onclick = () => tab(button.dataset.tab);
  tab(document.body.dataset.tab);
  const refresh = { slack: fresh("api/slack", slack.draw), mail: fresh("api/mail", mail.draw) };
  await Promise.all([refresh.slack(), refresh.mail()]);
  follow(refresh);
}

function follow(refresh) {
  const source = new EventSource("api/changes");
  source.onopen = () => { linked("good"); refresh.slack(); refresh.mail(); };
  source.onerror = () => linked("bad");
  source.addEventListener("slack", () => { refresh.slack(); news("slack"); });
  source.addEventListener("mail", () => { refresh.mail(); news("mail"); });
  let waiting = [];
  source.addEventListener("log", (event) => {
    if (!waiting.length) requestAnimationFrame(() => { log.add(waiting); waiting = []; });
    waiting.push(JSON.parse(event.data));
  });
}

start().catch((wrong) => toast(`The sandbox does not answer: ${wrong.message}`, true));
