// Slack's two text formats, drawn as elements: mrkdwn and Markdown. Nothing from a message becomes markup by itself.
import { h } from "./dom.js";

const unescaped = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
const SAFE = /^(https?:|mailto:)/i;

export function link(url, label) {
  return SAFE.test(url) ? h("a", { href: url, target: "_blank", rel: "noreferrer noopener" }, label) : document.createTextNode(label);
}

const ANGLE = { re: /<([^<>\n]+)>/, make: (m, names) => angle(m[1], names) };
const CODE = { re: /`([^`\n]+)`/, make: (m) => h("code", {}, unescaped(m[1])) };
const wrap = (re, tag) => ({ re, make: (m, names, rules) => h(tag, {}, inline(m[1], names, rules)) });
const URL_RULE = { re: /https?:\/\/[^\s<>|)\]]+[^\s<>|)\].,;:!?'"]/, make: (m) => link(m[0], m[0]) };

const MRKDWN = [CODE, ANGLE, wrap(/(?<![\w*])\*(?! )([^*\n]+?)(?<! )\*(?![\w*])/, "strong"), wrap(/(?<![\w_])_(?! )([^_\n]+?)(?<! )_(?![\w_])/, "em"), wrap(/(?<![\w~])~([^~\n]+?)~(?![\w~])/, "s"), URL_RULE];
const MARKDOWN = [CODE, { re: /\\([\\`*_{}[\]()#+\-.!~>|])/, make: (m) => m[1] }, { re: /\[([^\]\n]+)\]\(([^()\s]+)\)/, make: (m) => link(unescaped(m[2]), unescaped(m[1])) }, ANGLE,
  wrap(/\*\*(?! )(.+?)(?<! )\*\*/, "strong"), wrap(/__(?! )(.+?)(?<! )__/, "strong"), wrap(/(?<![\w*])\*(?! )([^*\n]+?)(?<! )\*(?![\w*])/, "em"), wrap(/(?<![\w_])_(?! )([^_\n]+?)(?<! )_(?![\w_])/, "em"), wrap(/~~(.+?)~~/, "s"), URL_RULE];

function angle(inner, names) {
  const [target, label] = inner.split("|");
  if (target.startsWith("@")) {
    const person = names?.[target.slice(1)];
    return h("span", { class: `at ${person?.me ? "me" : ""}` }, `@${person?.name ?? label ?? target.slice(1)}`);
  }
  if (target.startsWith("#")) return h("span", { class: "at" }, `#${label || names?.[target.slice(1)]?.name || target.slice(1)}`);
  if (target.startsWith("!date")) return date(target, label);
  if (target.startsWith("!")) return h("span", { class: "at" }, `@${label || target.slice(1)}`);
  return SAFE.test(target) ? link(unescaped(target), unescaped(label || target)) : `<${inner}>`;
}

/** Slack's date token, in the reader's own time. */
function date(target, label) {
  const [, seconds, format = ""] = target.split("^");
  const at = new Date(Number(seconds) * 1000);
  if (Number.isNaN(at.getTime())) return label || "";
  const today = at.toDateString() === new Date().toDateString();
  return format.replace(/\{time(_secs)?\}/g, at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }))
    .replace(/\{date(_\w+)?\}/g, today ? "today" : at.toLocaleDateString([], { day: "numeric", month: "short", year: "numeric" })).replace(/\{ago\}/g, label || "");
}

function inline(text, names, rules) {
  const parts = [];
  let rest = text;
  while (rest) {
    let best = null;
    for (const rule of rules) {
      const match = rule.re.exec(rest);
      if (match && (!best || match.index < best.match.index)) best = { match, rule };
    }
    if (!best) break;
    if (best.match.index) parts.push(unescaped(rest.slice(0, best.match.index)));
    parts.push(best.rule.make(best.match, names, rules));
    rest = rest.slice(best.match.index + best.match[0].length);
  }
  if (rest) parts.push(unescaped(rest));
  return parts;
}

const lines = (rows, names, rules) => rows.flatMap((row, n) => (n ? [h("br"), ...inline(row, names, rules)] : inline(row, names, rules)));
const QUOTE = /^(?:>|&gt;) ?/;
const BULLET = /^\s*(?:[-*+•◦]) +/, NUMBER = /^\s*\d+[.)] +/;

/** The text as block elements. `kind` is "mrkdwn", "markdown" or "plain_text". */
export function words(text, kind, names) {
  if (kind === "plain_text") return [h("p", {}, ...String(text).split("\n").flatMap((row, n) => (n ? [h("br"), row] : [row])))];
  const rules = kind === "markdown" ? MARKDOWN : MRKDWN;
  const out = [];
  String(text).split(/```(?:[a-z0-9+-]*\n)?([\s\S]*?)(?:```|$)/).forEach((piece, n) => {
    if (n % 2) out.push(h("pre", {}, unescaped(piece.replace(/^\n|\n$/g, ""))));
    else if (piece.trim()) out.push(...paragraphs(piece, kind, names, rules));
  });
  return out;
}

function paragraphs(text, kind, names, rules) {
  const rows = text.replace(/^\n+|\n+$/g, "").split("\n");
  const out = [];
  const take = (test) => { const got = []; while (rows.length && test.test(rows[0])) got.push(rows.shift().replace(test, "")); return got; };
  const list = (tag, test) => out.push(h(tag, {}, take(test).map((row) => h("li", {}, inline(row, names, rules)))));
  while (rows.length) {
    const row = rows[0];
    const heading = kind === "markdown" && /^#{1,6} +(.*)/.exec(row);
    if (!row.trim()) rows.shift();
    else if (heading) { out.push(h("h4", {}, inline(heading[1], names, rules))); rows.shift(); }
    else if (kind === "markdown" && /^\s*([-*_])(\s*\1){2,}\s*$/.test(row)) { out.push(h("hr", { class: "b-divider" })); rows.shift(); }
    else if (QUOTE.test(row)) out.push(h("blockquote", {}, lines(take(QUOTE), names, rules)));
    else if (BULLET.test(row)) list("ul", BULLET);
    else if (NUMBER.test(row)) list("ol", NUMBER);
    else {
      const got = [rows.shift()];
      while (rows.length && rows[0].trim() && ![QUOTE, BULLET, NUMBER].some((test) => test.test(rows[0]))) got.push(rows.shift());
      out.push(h("p", {}, lines(got, names, rules)));
    }
  }
  return out;
}

/** Slack's rich text block. */
export function rich(block, names) {
  return (block.elements || []).map((part) => {
    const inner = (part.elements || []).map((piece) => richPiece(piece, names));
    if (part.type === "rich_text_list") return h(part.style === "ordered" ? "ol" : "ul", {}, (part.elements || []).map((item) => h("li", {}, (item.elements || []).map((piece) => richPiece(piece, names)))));
    if (part.type === "rich_text_preformatted") return h("pre", {}, inner);
    return h(part.type === "rich_text_quote" ? "blockquote" : "p", {}, inner);
  });
}

function richPiece(piece, names) {
  if (piece.type === "user") return angle(`@${piece.user_id}`, names);
  if (piece.type === "channel") return angle(`#${piece.channel_id}`, names);
  if (piece.type === "link") return link(piece.url, piece.text || piece.url);
  if (piece.type === "emoji") return piece.unicode ? String.fromCodePoint(...piece.unicode.split("-").map((c) => parseInt(c, 16))) : `:${piece.name}:`;
  if (piece.type === "date") return date(`!date^${piece.timestamp}^${piece.format}`, piece.fallback);
  if (piece.type === "broadcast") return h("span", { class: "at" }, `@${piece.range}`);
  let node = piece.style?.code ? h("code", {}, piece.text ?? "") : h("span", {}, ...String(piece.text ?? piece.fallback ?? "").split("\n").flatMap((row, n) => (n ? [h("br"), row] : [row])));
  for (const [style, tag] of [["bold", "strong"], ["italic", "em"], ["strike", "s"]]) if (piece.style?.[style]) node = h(tag, {}, node);
  return node;
}
