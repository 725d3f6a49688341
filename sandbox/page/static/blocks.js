// Block Kit, drawn. `use(element, value, node)` is called when a person uses an element.
import { $, h, icon } from "./dom.js";
import { rich, words } from "./text.js";

const BOXED = new Set(["header", "actions", "section", "context", "divider"]);

/** Blocks of a message. A message with a card's blocks gets a frame; one that has buttons is an open card. */
export function drawBlocks(blocks, names, use) {
  const kinds = new Set(blocks.map((block) => block.type));
  const boxed = kinds.has("header") || kinds.has("actions") || (kinds.has("section") && kinds.size > 1);
  const open = JSON.stringify(blocks).includes('"type":"button"');
  const drawn = blocks.map((block) => drawBlock(block, names, use));
  return h("div", { class: `blocks ${boxed && [...kinds].some((kind) => BOXED.has(kind)) ? "boxed" : ""} ${open ? "" : "settled"}` }, drawn);
}

export const textOf = (object, names) => words(object.text, object.type, names);

const DRAW = {
  header: (block) => h("p", { class: "b-header", role: "heading", "aria-level": "4" }, block.text.text),
  divider: () => h("hr", { class: "b-divider" }),
  markdown: (block, names) => h("div", {}, words(block.text, "markdown", names)),
  rich_text: (block, names) => h("div", {}, rich(block, names)),
  section: (block, names, use) => h("div", { class: "b-section" },
    h("div", {}, block.text && textOf(block.text, names), block.fields && h("div", { class: "b-fields" }, block.fields.map((field) => h("div", {}, textOf(field, names))))),
    block.accessory && drawElement(block.accessory, block, names, use)),
  context: (block, names) => h("div", { class: "b-context" }, block.elements.map((part) => (part.type === "image" ? h("span", {}, `[${part.alt_text}]`) : h("span", {}, textOf(part, names))))),
  actions: (block, names, use) => h("div", { class: "b-actions" }, block.elements.map((part) => drawElement(part, block, names, use))),
  context_actions: (block, names, use) => h("div", { class: "b-actions" }, block.elements.map((part) => drawElement(part, block, names, use))),
  image: (block) => h("div", { class: "b-image" }, `Image: ${block.title?.text || block.alt_text}`),
  alert: (block, names) => h("blockquote", {}, textOf(block.text, names)),
  table: (block, names) => drawTable(block, names),
  card: (block, names, use) => h("div", { class: "blocks boxed" }, block.title && h("p", { class: "b-header" }, block.title.text), block.subtitle && h("div", { class: "b-context" }, block.subtitle.text), block.body && h("div", {}, textOf(block.body, names)), block.actions && h("div", { class: "b-actions" }, block.actions.map((part) => drawElement(part, block, names, use)))),
  carousel: (block, names, use) => h("div", { class: "blocks" }, block.elements.map((part) => drawBlock(part, names, use))),
  container: (block, names, use) => h("details", { class: "blocks boxed", open: !block.default_collapsed }, h("summary", { class: "b-header" }, block.title?.text ?? "More"), block.child_blocks.map((part) => drawBlock(part, names, use))),
  task_card: (block, names) => h("div", {}, h("strong", {}, block.title), ` ${block.status.replace("_", " ")}`, block.output && h("div", {}, rich(block.output, names))),
  plan: (block, names, use) => h("div", { class: "blocks" }, h("strong", {}, block.title), (block.tasks || []).map((part) => drawBlock(part, names, use))),
};

function drawBlock(block, names, use) {
  const draw = DRAW[block.type];
  return draw ? draw(block, names, use) : h("div", { class: "b-image" }, `A ${block.type} block`);
}

function drawTable(block, names) {
  const cell = (content) => (content.type === "rich_text" ? rich(content, names) : [String(content.text ?? content.value ?? "")]);
  const [head, ...rest] = block.rows;
  return h("table", { class: "b-table" }, h("thead", {}, h("tr", {}, head.map((content) => h("th", {}, cell(content))))), h("tbody", {}, rest.map((row) => h("tr", {}, row.map((content) => h("td", {}, cell(content)))))));
}

/** One interactive element. */
export function drawElement(element, block, names, use) {
  const options = [...(element.options || []), ...(element.option_groups || []).flatMap((group) => group.options)];
  const go = async (value, node) => { if (!element.confirm || (await confirmed(element.confirm, element.style, names))) use(element, value, node, block); };
  switch (element.type) {
    case "button": case "icon_button": case "workflow_button":
      return drawButton(element, go);
    case "feedback_buttons":
      return [element.positive_button, element.negative_button].map((one) => h("button", { type: "button", class: "b-button", onclick: (event) => go(one.value, event.currentTarget) }, one.text.text));
    case "overflow":
      return h("details", { class: "menu" }, h("summary", { "aria-label": "More actions" }, icon("more")), h("div", {}, options.map((one) => h("button", { type: "button", onclick: (event) => { event.currentTarget.closest("details").open = false; go(one.value, event.currentTarget); } }, one.text.text))));
    case "static_select": case "external_select":
      return h("select", { "aria-label": element.placeholder?.text || "Choose", onchange: (event) => event.target.value && go(event.target.value, event.target) }, h("option", { value: "" }, element.placeholder?.text || "Choose…"), options.map((one) => h("option", { value: one.value, selected: one.value === element.initial_option?.value }, one.text.text)));
    case "checkboxes": case "radio_buttons":
      return h("div", {}, options.map((one) => h("label", { class: "pick" }, h("input", { type: element.type === "checkboxes" ? "checkbox" : "radio", name: element.action_id, onchange: (event) => go(one.value, event.target) }), one.text.text)));
    case "datepicker":
      return h("input", { type: "date", value: element.initial_date || "", onchange: (event) => go(event.target.value, event.target) });
    case "image":
      return h("div", { class: "b-image" }, element.alt_text);
    default:
      return h("span", { class: "b-image" }, element.type);
  }
}

function drawButton(element, go) {
  const style = element.style ? `is-${element.style}` : "";
  const label = element.accessibility_label || undefined;
  if (element.url) return h("a", { class: `b-button ${style}`, href: /^https?:/.test(element.url) ? element.url : "#", target: "_blank", rel: "noreferrer noopener", "aria-label": label, onclick: (event) => go(element.value, event.currentTarget) }, element.text.text);
  return h("button", { type: "button", class: `b-button ${style}`, "aria-label": label, "data-action": element.action_id, onclick: (event) => go(element.value, event.currentTarget) }, element.text.text);
}

/** Slack's "are you sure?". */
export function confirmed(ask, style, names) {
  const box = $("confirm");
  return new Promise((resolve) => {
    const done = (answer) => { box.close(); resolve(answer); };
    box.replaceChildren(h("form", { method: "dialog", onsubmit: (event) => { event.preventDefault(); done(true); } },
      h("header", {}, h("h2", { id: "confirm-title" }, ask.title.text)),
      h("div", { class: "fields body" }, textOf(ask.text, names)),
      h("footer", {}, h("button", { type: "button", class: "plain", onclick: () => done(false) }, ask.deny.text), h("button", { class: `primary ${(ask.style || style) === "danger" ? "danger" : ""}` }, ask.confirm.text))));
    box.oncancel = () => resolve(false);
    box.showModal();
  });
}
