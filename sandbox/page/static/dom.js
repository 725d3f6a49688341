// Small tools for the page: elements, times, names, requests, and lists that keep what has not changed.

export const $ = (id) => document.getElementById(id);

/** An element: h("button", { class: "x", onclick }, "text", child). Text is text, never markup. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "style") element.style.cssText = value;
    else if (key in element && !key.startsWith("aria") && key !== "list" && key !== "form") element[key] = value;
    else element.setAttribute(key === "class" ? "class" : key, value === true ? "" : value);
  }
  if (props.class) element.className = props.class;
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Children of `element`, all at once, without the empty ones. */
export const fill = (element, ...children) => element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Shows `items` as children of `parent`; a child is made again only when its version changed. */
export function keep(parent, items, keyOf, versionOf, make) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let at = null;
  for (const item of items) {
    const key = String(keyOf(item)), version = versionOf(item);
    let child = old.get(key);
    if (!child || child.version !== version) {
      const made = make(item, child);
      made.dataset.key = key;
      made.version = version;
      if (child && child !== made) child.replaceWith(made);
      child = made;
    }
    old.delete(key);
    const next = at ? at.nextSibling : parent.firstChild;
    if (child !== next) parent.insertBefore(child, next);
    at = child;
  }
  for (const gone of old.values()) gone.remove();
}

export const clock = (seconds, withSeconds = false) =>
  new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: withSeconds ? "2-digit" : undefined, hourCycle: "h23" });

const HUES = { ada: 262, dana: 168, lee: 205, sam: 18 };
export function avatar(person, extra = "") {
  if (!person || person.bot) {
    const face = h("span", { class: `avatar bot ${extra}`, "aria-hidden": "true" });
    const keys = icon("keys");
    keys.removeAttribute("class");
    face.append(keys);
    return face;
  }
  const letters = person.name.split(/\s+/).map((word) => word[0]).slice(0, 2).join("").toUpperCase();
  const hue = HUES[person.id] ?? [...person.name].reduce((sum, c) => sum + c.charCodeAt(0), 0) % 360;
  return h("span", { class: `avatar ${extra}`, style: `--hue:${hue}`, "aria-hidden": "true" }, letters);
}

export function toast(text, bad = false) {
  const note = h("div", { class: `toast ${bad ? "bad" : ""}` }, text);
  $("toasts").append(note);
  setTimeout(() => note.remove(), bad ? 7000 : 3500);
}

/** POST one action of a hand. A refusal is shown and gives null. */
export async function act(name, body) {
  try {
    const answer = await fetch(`api/${name}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.error || answer.statusText);
    if (said.trouble) toast(said.trouble, true);
    return said;
  } catch (wrong) {
    toast(wrong.message || String(wrong), true);
    return null;
  }
}

export const pressed = (element, on) => element.setAttribute("aria-pressed", String(on));

export function stickToEnd(box, change) {
  const near = box.scrollHeight - box.scrollTop - box.clientHeight < 90;
  change();
  if (near) box.scrollTop = box.scrollHeight;
}
