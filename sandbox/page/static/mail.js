// The mail pane: a mailbox for everybody, a reader that trusts no mail, answers and new mails.
import { $, act, avatar, clock, fill, h, icon, keep, pressed } from "./dom.js";

export const box = { owner: "sam@customer.example", open: "" };
const read = new Set(), drafts = new Map();
let letters = [], deliveries = {}, cast = null, changed = () => {}, asHtml = true, writing = null;

export function begin(given, told) {
  cast = given;
  changed = told;
  $("compose").onclick = () => write({});
}

const personOf = (address) => cast.people.find((one) => one.email === address);
const mine = (owner = box.owner) => letters.filter((letter) => letter.mailbox === owner);
export const lettersOf = (owner) => mine(owner);
const unread = (owner) => mine(owner).filter((letter) => letter.folder === "inbox" && !read.has(letter.id)).length;

export function draw(given) {
  letters = given.letters;
  deliveries = Object.fromEntries(given.deliveries.map((one) => [one.letter, one]));
  redraw();
}

export function openBox(owner, open = "") { box.owner = owner; box.open = open; writing = null; redraw(); changed(); }

/** Start a mail, with whatever is already known of it. */
export function write({ owner = box.owner, to = cast.agent, subject = "", text = "" }) {
  box.owner = owner;
  box.open = "";
  writing = { to, subject, text };
  redraw();
  changed();
}

function redraw() {
  const open = mine().find((letter) => letter.id === box.open);
  if (open) read.add(open.id);
  keep($("boxes"), cast.people, (one) => one.email, (one) => `${one.email === box.owner}${unread(one.email)}`, (one) =>
    h("button", { type: "button", role: "tab", "aria-selected": String(one.email === box.owner), "data-box": one.id, title: one.email, onclick: () => openBox(one.email) }, one.name.split(" ")[0], unread(one.email) ? h("span", { class: "badge" }, String(unread(one.email))) : null));
  const list = $("letters");
  list.querySelector(".empty")?.remove();
  keep(list, [...mine()].reverse(), (letter) => letter.id, (letter) => `${read.has(letter.id)}${letter.id === box.open}`, drawRow);
  if (!mine().length) list.append(h("div", { class: "empty" }, icon("mail"), `${personOf(box.owner)?.name ?? box.owner} has no mail yet.`));
  $("mail-body").classList.toggle("reading", Boolean(open || writing));
  drawReader(open);
}

function drawRow(letter) {
  const sent = letter.folder === "sent";
  return h("button", { type: "button", class: `row ${!sent && !read.has(letter.id) ? "unread" : ""}`, "data-letter": letter.id, "aria-current": String(letter.id === box.open), onclick: () => openBox(box.owner, letter.id) },
    h("span", { class: "dot", "aria-hidden": "true" }), h("b", {}, sent ? `To ${letter.to_name}` : letter.from_name), h("time", {}, sent ? h("span", { class: "sent" }, "sent") : null, clock(letter.at)),
    h("span", { class: "subject" }, letter.subject || "(no subject)"), h("span", { class: "snippet" }, letter.text.replace(/\s+/g, " ").slice(0, 120)));
}

function drawReader(letter) {
  const reader = $("reader");
  const key = writing ? "write" : letter ? letter.id : "";
  if (reader.dataset.key === key && key && reader.dataset.owner === box.owner) { drawDelivery(reader, letter); return; }
  reader.dataset.key = key;
  reader.dataset.owner = box.owner;
  if (writing) reader.replaceChildren(back(), composeForm());
  else if (letter) showLetter(reader, letter);
  else reader.replaceChildren(h("div", { class: "empty" }, icon("mail"), "Choose a mail to read it."));
}

const back = () => h("div", {}, h("button", { type: "button", class: "back", onclick: () => openBox(box.owner) }, icon("back"), "All mail"));

function showLetter(reader, letter) {
  const content = h("div", { class: "content" });
  const show = () => content.replaceChildren(letter.html && asHtml ? htmlFrame(letter.html) : plainText(letter.text));
  const choice = [["HTML", true], ["Text", false]].map(([label, value]) => h("button", { type: "button", "aria-pressed": String(asHtml === value), onclick: (event) => { asHtml = value; for (const other of event.currentTarget.parentElement.children) pressed(other, other === event.currentTarget); show(); } }, label));
  fill(reader, back(), h("h3", {}, letter.subject || "(no subject)"),
    h("div", { class: "from" }, avatar(personOf(letter.from) ?? (letter.from === cast.agent ? null : { name: letter.from_name })), h("div", {}, h("b", {}, letter.from_name), ` <${letter.from}>`, h("small", {}, `to ${letter.to}`)), h("time", {}, clock(letter.at))),
    h("div", { class: "marks" }, marksOf(letter), h("span", { class: "delivery" }), letter.html ? h("span", { class: "switch" }, choice) : null),
    content,
    letter.attachments.length ? h("div", {}, letter.attachments.map((name) => h("span", { class: "file" }, icon("file"), name))) : null,
    letter.folder === "inbox" ? answerForm(letter) : null);
  show();
  drawDelivery(reader, letter);
  reader.scrollTop = 0;
}

function marksOf(letter) {
  if (!letter.dmarc || letter.folder === "sent") return null;
  return h("span", { class: `chip ${letter.dmarc === "pass" ? "good" : "bad"}`, title: "What the receiving provider found out about the sender" }, `sender ${letter.dmarc === "pass" ? "verified" : "not verified"}`);
}

function drawDelivery(reader, letter) {
  const place = reader.querySelector(".delivery"), one = letter && deliveries[letter.message_id];
  if (!place || !one || letter.folder !== "sent") return;
  const good = one.status >= 200 && one.status < 300;
  const text = good ? "taken by the agent" : one.done ? `refused by the agent (${one.status || "no answer"})` : `on its way, attempt ${one.attempts}`;
  place.replaceChildren(h("span", { class: `chip ${good ? "good" : one.done ? "bad" : ""}` }, text));
}

/** No script runs in the frame, nothing is loaded from anywhere, and links open elsewhere. */
function htmlFrame(html) {
  const rules = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
  const frame = h("iframe", { title: "The mail's HTML part" });
  frame.setAttribute("sandbox", "allow-same-origin allow-popups allow-popups-to-escape-sandbox");
  frame.srcdoc = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${rules}"><base target="_blank"><style>body{font:14px/1.55 system-ui,sans-serif;margin:12px 14px;color:#1c212b;background:#fff;overflow-wrap:anywhere}blockquote{margin:6px 0;padding-left:10px;border-left:3px solid #ddd;color:#5b6372}pre{white-space:pre-wrap}</style>${html}`;
  frame.onload = () => {
    const fit = () => { const body = frame.contentDocument?.body; if (body) frame.style.height = `${Math.ceil(body.getBoundingClientRect().height) + 30}px`; };
    fit();
    new ResizeObserver(fit).observe(frame);
  };
  return frame;
}

function plainText(text) {
  const at = text.search(/^(?:On .{5,120} wrote:|-{3,} ?Original)/m);
  const own = at > 0 ? text.slice(0, at) : text, quoted = at > 0 ? text.slice(at) : "";
  return h("div", {}, h("pre", { class: "text" }, own.trimEnd()), quoted && h("details", { class: "quoted" }, h("summary", {}, "Quoted text"), h("pre", { class: "text" }, quoted)));
}

function answerForm(letter) {
  const text = h("textarea", { rows: 1, "aria-label": "Your reply", placeholder: `Reply as ${personOf(box.owner)?.name.split(" ")[0] ?? box.owner}…`, value: drafts.get(letter.id) || "" });
  text.oninput = () => drafts.set(letter.id, text.value);
  const quick = letter.reply_to.includes("+") && /\bapprove\b/i.test(letter.text) && personOf(box.owner)?.approver ? ["approve", "reject not this month"] : [];
  const send = async (event) => {
    event.preventDefault();
    if (!text.value.trim()) return;
    const done = await act("mail_reply", { mailbox: box.owner, letter: letter.id, text: text.value.trim() });
    if (done) { drafts.delete(letter.id); openBox(box.owner, done.id); }
  };
  return h("form", { class: "write", onsubmit: send }, h("span", { class: "to" }, icon("reply"), ` ${letter.reply_to || letter.from}`), text,
    h("footer", {}, h("button", { class: "primary small" }, "Send reply"), quick.map((words) => h("button", { type: "button", class: "quick", onclick: () => { text.value = words; text.oninput(); text.focus(); } }, words))));
}

function composeForm() {
  const to = h("input", { value: writing.to, name: "to" }), subject = h("input", { value: writing.subject, name: "subject" }), text = h("textarea", { value: writing.text, name: "text" });
  const send = async (event) => {
    event.preventDefault();
    const done = await act("mail_send", { sender: box.owner, to: to.value.split(",").map((one) => one.trim()).filter(Boolean), subject: subject.value, text: text.value });
    if (done) openBox(box.owner, done.id);
  };
  return h("form", { class: "write full", onsubmit: send }, h("span", { class: "to" }, `From ${box.owner}`), h("label", {}, "To", to), h("label", {}, "Subject", subject), h("label", {}, "Message", text), h("footer", {}, h("button", { class: "primary small" }, "Send")));
}
