// The tour: three steps in Slack, three by mail. What is done is read from what happened, not from what was clicked.
import { $, h, icon, pressed } from "./dom.js";
import * as slack from "./slack.js";
import * as mail from "./mail.js";

let path = "slack", cast = null, show = () => {};
const cards = new Set();

const ASK = "please refund order 1042, the lamp arrived broken";
const MAIL = { subject: "Refund for order 1043", text: "Hello,\n\nplease refund order 1043. The shelf arrived damaged.\n\nThank you!" };
const MORE = [
  ["Two refunds at once", () => say("ada", "please refund orders 1042 and 1043, both arrived damaged")],
  ["An unknown order", () => say("ada", "what is the status of order 9999?")],
  ["Already refunded", () => say("ada", "please refund order 1044")],
  ["Ask the team", () => say("ada", "ask the team: which warehouse ships the spare part, Berlin or Lisbon?")],
];

export function begin(given, tab) { cast = given; show = tab; }

function say(as, text) {
  slack.become(as);
  slack.goTo(cast.places[0].id);
  show("slack");
  return slack.say(`@${cast.bot.name} ${text}`);
}

const spots = () => slack.channels().flatMap((channel) => slack.allMessages(channel).map((message) => ({ channel, message })));

/** Where the open card is that the chosen approver can see: in a channel, else in their direct messages. */
function openCard() {
  const open = spots().filter(({ message }) => message.bot_id && slack.hasButtons(message));
  const dana = slack.person("dana").slack;
  return open.reverse().find(({ channel }) => !channel.is_im) || open.find(({ channel }) => channel.members.includes(dana));
}

function inSlack() {
  const asked = spots().some(({ message }) => !message.bot_id && (message.text || "").includes(`<@${cast.bot.slack}>`));
  const open = openCard();
  for (const { message } of spots()) if (message.bot_id && slack.hasButtons(message)) cards.add(message.ts);
  const decided = spots().filter(({ message }) => cards.has(message.ts) && !slack.hasButtons(message)).map(({ message }) => Number(message.ts));
  const replied = decided.length && spots().some(({ channel, message }) => !channel.is_im && message.bot_id && !cards.has(message.ts) && Number(message.ts) > Math.min(...decided));
  return [
    { title: "Ask for a refund", hint: "Ada mentions the agent", done: asked, label: "Ask as Ada", go: () => say("ada", ASK) },
    { title: "Approve it as Dana", hint: open ? "The agent waits for her" : "It waits until she says yes", done: decided.length > 0, label: open && "Go to the card", go: () => toCard(open) },
    { title: "See the reply", hint: replied ? "It is in the thread" : "The work then goes on", done: Boolean(replied), label: replied && "Now by mail", go: () => { path = "mail"; show("mail"); draw(); } },
  ];
}

function toCard({ channel, message }) {
  slack.become("dana");
  slack.goTo(channel.is_im ? "dm" : channel.id);
  show("slack");
  requestAnimationFrame(() => {
    const node = document.querySelector(`[data-ts="${message.ts}"]`);
    node?.scrollIntoView({ block: "end" });
    const button = node?.querySelector(".b-button");
    button?.classList.add("pulse");
    button?.focus({ preventScroll: true });
  });
}

function byMail() {
  const sam = slack.person("sam").email, dana = slack.person("dana").email;
  const sent = mail.lettersOf(sam).some((letter) => letter.folder === "sent");
  const ask = mail.lettersOf(dana).findLast((letter) => letter.folder === "inbox" && letter.reply_to.includes("+") && letter.text.includes("1043"));
  const said = mail.lettersOf(dana).some((letter) => letter.folder === "sent" && /^(approve|reject)/i.test(letter.text));
  const answers = mail.lettersOf(sam).filter((letter) => letter.folder === "inbox");
  const got = answers.length > 0;
  return [
    { title: "Write as Sam", hint: "A customer wants a refund", done: sent, label: "Write the mail", go: () => { show("mail"); mail.write({ owner: sam, ...MAIL }); } },
    { title: "Approve as Dana", hint: ask ? "The first line decides" : "She is asked by mail", done: said, label: ask && "Open her mail", go: () => { show("mail"); mail.openBox(dana, ask.id); } },
    { title: "Read the reply", hint: got ? "It is in Sam's mailbox" : "It comes to Sam", done: said && got, label: got && "Open Sam's mail", go: () => { show("mail"); mail.openBox(sam, answers.at(-1).id); } },
  ];
}

export function draw() {
  const steps = path === "slack" ? inSlack() : byMail();
  const now = steps.findIndex((step) => !step.done);
  const state = JSON.stringify([path, steps.map(({ go, ...rest }) => rest)]);
  if ($("guide").dataset.state === state) return;
  $("guide").dataset.state = state;
  const ways = [["slack", "In Slack"], ["mail", "By mail"]].map(([key, label]) => {
    const button = h("button", { type: "button", onclick: () => { path = key; show(key); draw(); } }, label);
    pressed(button, path === key);
    return button;
  });
  $("guide").replaceChildren(h("div", { class: "paths", role: "group", "aria-label": "Two ways to try it" }, ways),
    h("ol", { class: "steps" }, steps.map((step, n) => drawStep(step, n, now))),
    h("div", { class: "more", "aria-label": "More to try" }, MORE.map(([label, go]) => h("button", { type: "button", onclick: go }, label))));
}

function drawStep(step, n, now) {
  const current = n === now || (now === -1 && n === 2);
  return h("li", { class: `step ${step.done ? "done" : ""} ${current ? "now" : ""}`, "aria-current": current ? "step" : undefined },
    h("span", { class: "no" }, step.done ? icon("check") : String(n + 1)),
    h("span", { class: "words" }, h("b", {}, step.title), h("small", { title: step.hint }, step.hint)),
    step.label && (current || (step.done && n === 2)) ? h("button", { type: "button", class: "primary small", onclick: step.go }, step.label) : null);
}
