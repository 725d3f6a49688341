// The agent's log: one line each, filtered, expanding to the whole object.
import { $, clock, h, pressed, stickToEnd } from "./dom.js";

const MOST = 1500, LEVELS = ["all", "info", "warning", "error"];
const rows = [];
let level = "all", filter = "";

export function begin() {
  $("levels").replaceChildren(...LEVELS.map((name) => h("button", { type: "button", "aria-pressed": String(name === level), onclick: (event) => { level = name; for (const other of $("levels").children) pressed(other, other === event.currentTarget); apply(); } }, name)));
  $("filter").oninput = (event) => { filter = event.target.value.toLowerCase(); apply(); };
  $("clear").onclick = () => { rows.length = 0; $("rows").replaceChildren(); apply(); };
  grip();
  apply();
}

export function add(entries) {
  const box = $("rows");
  stickToEnd(box, () => {
    box.querySelector(".empty")?.remove();
    for (const entry of entries) {
      const row = { entry, text: JSON.stringify(entry).toLowerCase(), node: draw(entry) };
      row.node.hidden = !wanted(row);
      rows.push(row);
      box.append(row.node);
    }
    while (rows.length > MOST) rows.shift().node.remove();
  });
}

const rank = (entry) => ["debug", "info", "warning", "error", "critical"].indexOf(entry.level || "info");
const wanted = (row) => (level === "all" || rank(row.entry) >= LEVELS.indexOf(level)) && (!filter || row.text.includes(filter));

function apply() {
  const box = $("rows");
  box.querySelector(".empty")?.remove();
  for (const row of rows) row.node.hidden = !wanted(row);
  if (!rows.some(wanted)) box.append(h("div", { class: "empty" }, rows.length ? "No line matches." : "Nothing logged yet. Ask the agent for something."));
}

function draw(entry) {
  const { timestamp, time, ts, level: grade = "info", event = "", ...rest } = entry;
  const when = timestamp || time || ts;
  const at = when ? clock(typeof when === "number" ? when : Date.parse(when) / 1000, true) : "";
  const pairs = Object.entries(rest).flatMap(([key, value]) => [h("i", {}, key), `=${typeof value === "string" ? value : JSON.stringify(value)}  `]);
  const line = h("details", { class: `line ${grade}` }, h("summary", {}, h("time", {}, at), h("span", { class: "level" }, grade), h("span", { class: "what" }, String(event)), h("span", { class: "rest" }, pairs)));
  line.addEventListener("toggle", () => { if (line.open && line.children.length === 1) line.append(pretty(entry)); });
  return line;
}

function pretty(entry) {
  const pre = h("pre");
  const text = JSON.stringify(entry, null, 2);
  let at = 0;
  for (const match of text.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|\b(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|true|false|null)\b/gi)) {
    pre.append(text.slice(at, match.index), h("span", { class: match[2] ? "k" : match[1] ? "s" : "n" }, match[1] ?? match[3]), match[2] ?? "");
    at = match.index + match[0].length;
  }
  pre.append(text.slice(at));
  return pre;
}

function grip() {
  const root = document.documentElement, handle = $("grip");
  const set = (height) => { root.style.setProperty("--log", `${Math.max(70, Math.min(window.innerHeight * 0.7, height))}px`); };
  const now = () => $("log").getBoundingClientRect().height;
  handle.onpointerdown = (down) => {
    const from = down.clientY, height = now();
    handle.setPointerCapture(down.pointerId);
    handle.onpointermove = (move) => set(height + from - move.clientY);
    handle.onpointerup = () => { handle.onpointermove = null; };
  };
  handle.onkeydown = (event) => { if (event.key === "ArrowUp") set(now() + 24); if (event.key === "ArrowDown") set(now() - 24); };
}
