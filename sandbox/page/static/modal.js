// Slack's modals: inputs, the checks that Slack's client does itself, and the errors that the bot answers with.
import { $, act, h, icon } from "./dom.js";
import { drawBlocks, textOf } from "./blocks.js";

let shown = "", answered = "";

/** Show this person's topmost modal, or none. */
export function drawModal(view, person, names) {
  const box = $("modal");
  const key = view ? `${person.slack}:${view.id}:${view.hash}` : "";
  if (!view) { if (box.open) box.close(); shown = ""; return; }
  if (key !== shown) {
    shown = key;
    box.replaceChildren(form(view, person, names));
    if (!box.open) box.showModal();
    box.querySelector(".fields input, .fields textarea, .fields select, footer .primary")?.focus();
  }
  const errors = JSON.stringify([key, view.errors || {}]);
  if (errors !== answered) showErrors(box, view.errors || {});  // what the client itself found wrong stays until then
  answered = errors;
  box.oncancel = (event) => { event.preventDefault(); close(view, person); };
}

const close = (view, person) => act("close_view", { user: person.slack, view_id: view.id });

function form(view, person, names) {
  const fields = view.blocks.map((block) => (block.type === "input" ? field(block) : drawBlocks([block], names, (element, value) => act("click_view", { user: person.slack, view_id: view.id, action_id: element.action_id, value: value ?? null }))));
  const send = async (event) => {
    event.preventDefault();
    const button = event.currentTarget.querySelector("footer .primary");
    const { values, errors } = read(view, event.currentTarget);
    showErrors(event.currentTarget, errors);
    if (Object.keys(errors).length) return;
    button.disabled = true;
    answered = "";
    await act("submit", { user: person.slack, view_id: view.id, values });
    button.disabled = false;
  };
  return h("form", { novalidate: true, onsubmit: send },
    h("header", {}, h("h2", { id: "modal-title" }, view.title.text), h("span", { class: "as" }, `as ${person.first}`), h("button", { type: "button", "aria-label": "Close", onclick: () => close(view, person) }, icon("close"))),
    h("div", { class: "fields body" }, h("p", { class: "wrong", hidden: true, role: "alert", "data-error": "" }), fields),
    (view.submit || view.close) && h("footer", {}, h("button", { type: "button", class: "plain", onclick: () => close(view, person) }, view.close?.text || "Cancel"), view.submit && h("button", { class: "primary" }, view.submit.text)));
}

function field(block) {
  const element = block.element, id = `f-${block.block_id}`;
  const group = ["checkboxes", "radio_buttons"].includes(element.type);
  const title = [block.label.text, block.optional ? h("span", { class: "optional" }, " (optional)") : null];
  return h(group ? "fieldset" : "div", { class: "field", "data-block": block.block_id },
    group ? h("legend", {}, title) : h("label", { for: id }, title),
    control(element, id),
    block.hint && h("p", { class: "hint" }, block.hint.text),
    h("p", { class: "wrong", hidden: true, role: "alert", "data-error": block.block_id }));
}

const optionsOf = (element) => [...(element.options || []), ...(element.option_groups || []).flatMap((group) => group.options)];

function control(element, id) {
  const placeholder = element.placeholder?.text || "";
  const initial = element.initial_value ?? "";
  switch (element.type) {
    case "number_input": return h("input", { id, inputMode: "decimal", value: initial, placeholder, autocomplete: "off" });
    case "static_select": case "external_select": case "multi_static_select": {
      const chosen = new Set([element.initial_option, ...(element.initial_options || [])].filter(Boolean).map((one) => one.value));
      const many = element.type === "multi_static_select";
      return h("select", { id, multiple: many }, !many && h("option", { value: "" }, placeholder || "Choose…"), optionsOf(element).map((one) => h("option", { value: one.value, selected: chosen.has(one.value) }, one.text.text)));
    }
    case "checkboxes": case "radio_buttons": {
      const chosen = new Set([element.initial_option, ...(element.initial_options || [])].filter(Boolean).map((one) => one.value));
      return h("div", {}, element.options.map((one) => h("label", { class: "pick" }, h("input", { type: element.type === "checkboxes" ? "checkbox" : "radio", name: id, value: one.value, checked: chosen.has(one.value) }), h("span", {}, textOf(one.text), one.description && h("small", {}, one.description.text)))));
    }
    case "datepicker": return h("input", { id, type: "date", value: element.initial_date || "" });
    case "timepicker": return h("input", { id, type: "time", value: element.initial_time || "" });
    case "email_text_input": return h("input", { id, type: "email", value: initial, placeholder });
    case "url_text_input": return h("input", { id, type: "url", value: initial, placeholder });
    default: return element.multiline ? h("textarea", { id, value: initial, placeholder, maxLength: element.max_length || 3000 }) : h("input", { id, value: initial, placeholder, maxLength: element.max_length || 3000, autocomplete: "off" });
  }
}

function read(view, root) {
  const values = {}, errors = {};
  for (const block of view.blocks.filter((one) => one.type === "input")) {
    const box = root.querySelector(`[data-block="${CSS.escape(block.block_id)}"]`);
    const value = valueOf(block.element, box);
    const missing = value === null || value === "" || (Array.isArray(value) && !value.length);
    if (missing && !block.optional) errors[block.block_id] = "Please complete this required field.";
    else if (!missing) { const wrong = checked(block.element, value); if (wrong) errors[block.block_id] = wrong; }
    values[block.block_id] = value === "" ? null : value;
  }
  return { values, errors };
}

function valueOf(element, box) {
  if (element.type === "checkboxes") return [...box.querySelectorAll("input:checked")].map((one) => one.value);
  if (element.type === "radio_buttons") return box.querySelector("input:checked")?.value ?? null;
  if (element.type === "multi_static_select") return [...box.querySelector("select").selectedOptions].map((one) => one.value);
  return box.querySelector("input, textarea, select").value;
}

function checked(element, value) {
  if (element.min_length && value.length < element.min_length) return `Must be at least ${element.min_length} characters.`;
  if (element.type !== "number_input") return "";
  const number = Number(value.trim());
  if (!value.trim() || Number.isNaN(number)) return "This is not a number.";
  if (!element.is_decimal_allowed && !Number.isInteger(number)) return "Must be a whole number.";
  if (element.min_value !== undefined && number < Number(element.min_value)) return `Must be ${element.min_value} or more.`;
  if (element.max_value !== undefined && number > Number(element.max_value)) return `Must be ${element.max_value} or less.`;
  return "";
}

function showErrors(root, errors) {
  for (const note of root.querySelectorAll("[data-error]")) {
    const text = errors[note.dataset.error] || "";
    note.textContent = text;
    note.hidden = !text;
    const input = note.parentElement.querySelector("input, textarea, select");
    if (input && note.dataset.error) text ? input.setAttribute("aria-invalid", "true") : input.removeAttribute("aria-invalid");
  }
}
