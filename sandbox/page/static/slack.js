// The workspace pane: who you are, where you look, what is said there, and your hands.
import { $, act, avatar, clock, h, icon, keep, stickToEnd } from "./dom.js";
import { drawBlocks } from "./blocks.js";
import { drawModal } from "./modal.js";
import { words } from "./text.js";

export const me = { id: "ada", place: "" };
const seen = new Map();
let world = null, cast = null, drafts = new Map(), lastRoom = "";

export const person = (id = me.id) => cast.people.find((one) => one.id === id || one.slack === id);

export function begin(given, changed) {
  cast = given;
  me.place = cast.places[0].id;
  $("mention").onclick = () => insertMention($("say"));
  $("mention").textContent = `@${cast.bot.name}`;
  enterSends($("say"), () => $("composer").requestSubmit());
  $("composer").onsubmit = async (event) => {
    event.preventDefault();
    const text = $("say").value.trim();
    if (!text) return;
    $("say").value = "";
    if (!(await say(text))) $("say").value = text;
  };
  begin.changed = changed;
}

/** Say something as the chosen person, where they look. */
export function say(text, thread_ts = null) {
  if (me.place === "dm") return act("dm", { user: person().slack, text, thread_ts });
  return act("say", { user: person().slack, channel: me.place, text, thread_ts });
}

export function become(id) { me.id = id; openHome(); redraw(); begin.changed(); }
export function goTo(place) { me.place = place; openHome(); redraw(); begin.changed(); }
const openHome = () => me.place === "home" && act("open_home", { user: person().slack });

function insertMention(box) {
  if (!box.value.includes(`@${cast.bot.name}`)) box.value = `@${cast.bot.name} ${box.value}`;
  box.focus();
}

function enterSends(box, send) {
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
  });
}

function names() {
  const found = Object.fromEntries((world?.users || []).map((user) => [user.id, { name: user.real_name.split(" ")[0], me: user.id === person().slack }]));
  for (const place of cast.places) found[place.id] = { name: place.name };
  return found;
}

const dmOf = (slack) => world?.channels.find((channel) => channel.is_im && channel.members.includes(slack));
const room = (place = me.place, who = person()) => (place === "dm" ? dmOf(who.slack) : world?.channels.find((channel) => channel.id === place));
export const allMessages = (channel) => (channel?.messages || []).flatMap((message) => [message, ...message.replies]);
export const channels = () => world?.channels || [];
export const hasButtons = (message) => (message.blocks || []).some((block) => block.type === "actions" || block.accessory?.type === "button");

export function draw(snapshot) { world = snapshot; redraw(); }

function unread(place, who) {
  const channel = room(place, who), mark = seen.get(`${who.id}:${place}`) || 0;
  const news = allMessages(channel).filter((message) => Number(message.ts) > mark && message.user !== who.slack);
  return place === "dm" ? news.length : news.filter((message) => (message.text || "").includes(`<@${who.slack}>`)).length || (news.length ? -1 : 0);
}

function redraw() {
  const who = person();
  seen.set(`${who.id}:${me.place}`, Math.max(0, ...allMessages(room()).map((message) => Number(message.ts))));
  $("team").textContent = cast.team;
  keep($("personas"), cast.people.filter((one) => one.slack), (one) => one.id, (one) => `${one.id === me.id}${badgeFor(one)}`, personButton);
  $("places").replaceChildren(h("div", {}, h("h3", {}, "Channels"), cast.places.map((place) => placeButton(place.id, place.name, h("span", { class: "hash", "aria-hidden": "true" }, "#")))),
    h("div", {}, h("h3", {}, "Direct messages"), placeButton("dm", cast.bot.name, avatar(null, "tiny")), placeButton("home", "Home", icon("key"))));
  drawHead(who);
  drawRoom(who);
  const stack = world?.modals?.[who.slack] || [];
  drawModal(stack[stack.length - 1], { ...who, first: who.name.split(" ")[0] }, names());
}

const badgeFor = (one) => (one.id === me.id ? 0 : Math.max(0, unread("dm", one)));

function personButton(one) {
  const waiting = badgeFor(one);
  return h("button", { type: "button", role: "radio", "aria-checked": String(one.id === me.id), title: one.approver ? "May approve" : "May not approve", "data-person": one.id, onclick: () => become(one.id) },
    avatar(one), h("span", { class: "who" }, h("b", {}, one.name.split(" ")[0], h("span", { class: "last" }, ` ${one.name.split(" ").slice(1).join(" ")}`)), h("small", {}, one.title)),
    waiting ? h("span", { class: "badge", title: "New direct messages" }, String(waiting)) : one.approver ? icon("key") : null);
}

function placeButton(id, name, mark) {
  const news = unread(id, person());
  return h("button", { type: "button", class: news ? "unread" : "", "data-place": id, "aria-current": String(me.place === id), onclick: () => goTo(id) }, mark, name, news > 0 && me.place !== id ? h("span", { class: "badge" }, String(news)) : null);
}

function drawHead(who) {
  const place = cast.places.find((one) => one.id === me.place);
  const first = who.name.split(" ")[0];
  $("composer").hidden = me.place === "home";
  if (me.place === "home") { $("room-head").replaceChildren(h("h2", {}, `${cast.bot.name}: Home`), h("p", {}, `Only ${first} sees this`)); return; }
  $("room-head").replaceChildren(h("h2", {}, place ? `# ${place.name}` : cast.bot.name), h("p", {}, place ? place.topic : `Only ${first} and the agent read this`));
  $("say").placeholder = place ? `Message #${place.name} as ${first}` : `Message ${cast.bot.name} as ${first}`;
  $("say").setAttribute("aria-label", $("say").placeholder);
  $("mention").hidden = !place;
}

function drawHome(who) {
  const home = world?.homes?.[who.slack], box = $("messages"), key = `${who.id}:home:${home?.hash}`;
  if (key === lastRoom) return;
  lastRoom = key;
  const use = (element, value) => act("click_view", { user: who.slack, view_id: home.id, action_id: element.action_id, value: value ?? null });
  box.replaceChildren(home ? h("div", { class: "home" }, drawBlocks(home.blocks, names(), use)) : h("div", { class: "empty" }, icon("keys"), "Opening…"));
}

function drawRoom(who) {
  if (me.place === "home") { drawHome(who); return; }
  const channel = room(), box = $("messages"), key = `${who.id}:${me.place}`;
  const only = (world?.ephemerals || []).filter((message) => message.seen_by === who.slack && message.channel === channel?.id);
  const talks = (channel?.messages || []).map((root) => ({ root, replies: [...root.replies, ...only.filter((one) => one.thread_ts === root.ts)].sort((a, b) => a.ts - b.ts) }));
  const loose = only.filter((one) => !one.thread_ts).map((root) => ({ root, replies: [] }));
  const all = [...talks, ...loose].sort((a, b) => a.root.ts - b.root.ts);
  stickToEnd(box, () => {
    if (key !== lastRoom) box.replaceChildren();
    box.querySelector(":scope > .empty")?.remove();
    keep(box, all, (talk) => talk.root.ts, (talk) => JSON.stringify(talk), (talk, old) => drawTalk(talk, channel, who, old));
    if (!all.length) box.append(emptyRoom());
  });
  if (key !== lastRoom) box.scrollTop = box.scrollHeight;
  lastRoom = key;
}

const emptyRoom = () => h("div", { class: "empty" }, icon(me.place === "dm" ? "chat" : "keys"), me.place === "dm" ? "Nothing here yet. Approvals that wait for you come here, and you can write to the agent directly." : `Nobody has said anything here yet. Mention @${cast.bot.name} to put it to work.`);

function drawTalk({ root, replies }, channel, who, old) {
  const talk = old || h("div", { class: "talk" }, h("div", { class: "root" }), h("div", { class: "replies" }));
  const [top, thread] = talk.children;
  const context = { channel: channel.id, who, names: names() };
  keep(top, [root], (one) => one.ts, (one) => JSON.stringify({ ...one, replies: 0, status: 0 }), (one) => drawMessage(one, context));
  keep(thread, replies, (one) => one.ts, (one) => JSON.stringify(one), (one) => drawMessage(one, context));
  thread.hidden = !replies.length;
  talk.querySelector(".status")?.remove();
  if (root.status || root.session === "processing") talk.insertBefore(h("div", { class: "status" }, `${cast.bot.name} ${root.status || "is working…"}`), thread.nextSibling);
  if (!talk.querySelector(".answer") && !root.seen_by) talk.append(answerBox(root, channel));
  return talk;
}

function answerBox(root, channel) {
  const box = h("textarea", { rows: 1, placeholder: "Reply in thread…", "aria-label": "Reply in thread", value: drafts.get(root.ts) || "" });
  box.oninput = () => drafts.set(root.ts, box.value);
  enterSends(box, async () => {
    const text = box.value.trim();
    if (!text) return;
    box.value = "";
    drafts.delete(root.ts);
    const done = channel.is_im ? await act("dm", { user: person().slack, text, thread_ts: root.ts }) : await act("say", { user: person().slack, channel: channel.id, text, thread_ts: root.ts });
    if (!done) box.value = text;
  });
  return h("div", { class: "answer" }, box);
}

function drawMessage(message, { channel, who, names: known }) {
  const author = person(message.user), bot = message.user === cast.bot.slack || Boolean(message.bot_id);
  const use = async (element, value, node) => {
    node?.classList.add("busy");
    await act("click", { user: who.slack, channel, ts: message.ts, action_id: element.action_id, value: value ?? null });
    setTimeout(() => node?.classList.remove("busy"), 900);
  };
  const shownBlocks = (message.blocks || []).length ? drawBlocks(message.blocks, known, use) : words(message.text || "", "mrkdwn", known);
  return h("div", { class: `msg ${message.seen_by ? "only" : ""}`, "data-ts": message.ts, "data-bot": bot ? "yes" : "no" },
    message.seen_by && h("div", { class: "only-note" }, icon("eye"), "Only visible to you"),
    avatar(bot ? null : author ?? { name: message.user || "?" }),
    h("div", { class: "body" },
      h("header", {}, h("b", {}, bot ? cast.bot.name : author?.name ?? message.user), bot && h("span", { class: "app" }, "APP"), h("time", {}, clock(Number(message.ts))), message.edited && h("span", { class: "edited" }, "(edited)"), message.streaming && h("span", { class: "edited" }, "writing…")),
      shownBlocks,
      (message.files || []).map((file) => h("span", { class: "file" }, icon("file"), file.title || file.name)),
      message.reactions?.length ? h("div", { class: "seen" }, message.reactions.map((one) => h("span", {}, `:${one.name}: ${one.count}`))) : null));
}
