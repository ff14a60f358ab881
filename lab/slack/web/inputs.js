// Input blocks, and the state of all inputs below a node as Slack writes it.
import { h } from "./dom.js";

export function control(block, context) {
  const item = block.element;
  const id = `${context.scope || "m"}-${block.block_id}`;
  const error = context.errors?.[block.block_id];
  return h("div", { className: `input${error ? " wrong" : ""}` },
    h("label", { htmlFor: id }, block.label.text, block.optional ? h("small", {}, " (optional)") : null),
    field(block, item, id, context.room.zone),
    error ? h("div", { className: "wrong", role: "alert" }, error) : null,
    block.hint ? h("div", { className: "hint" }, block.hint.text) : null);
}

function field(block, item, id, zone) {
  const data = { block: block.block_id, action: item.action_id, kind: item.type };
  const common = { id, dataset: data, required: !block.optional, placeholder: item.placeholder?.text };
  if (item.type === "static_select") return select(item, common);
  if (item.type === "checkboxes" || item.type === "radio_buttons") return choices(item, data);
  if (item.type === "datetimepicker") {
    const defaultValue = item.initial_date_time ? wallTime(item.initial_date_time, zone) : "";
    return h("input", { ...common, dataset: { ...data, zone }, type: "datetime-local", step: 1, defaultValue });
  }
  const kept = { ...common, value: item.initial_value || "", maxLength: item.max_length || 3000 };
  if (item.type === "plain_text_input" && item.multiline) return h("textarea", { ...kept, rows: 4 });
  const types = { datepicker: "date", timepicker: "time", number_input: "number" };
  return h("input", { ...kept, type: types[item.type] || "text", autocomplete: "off" });
}

// How far the clocks of a zone are ahead of UTC at a moment, in milliseconds.
function ahead(at, zone) {
  const parts = ["year", "month", "day", "hour", "minute", "second"];
  const asked = Object.fromEntries(parts.map((part) => [part, "numeric"]));
  const told = new Intl.DateTimeFormat("en-GB", { ...asked, hourCycle: "h23", timeZone: zone }).formatToParts(at);
  const [year, month, ...rest] = parts.map((part) => Number(told.find((each) => each.type === part).value));
  return Date.UTC(year, month - 1, ...rest) - Math.floor(at / 1000) * 1000;
}

// A moment as the field writes it: in the zone of the person, as Slack does, and not in that of the browser.
function wallTime(seconds, zone) {
  return new Date(seconds * 1000 + ahead(seconds * 1000, zone)).toISOString().slice(0, 19);
}

function momentOf(wall, zone) {
  const asUtc = Date.parse(`${wall}Z`);
  return Math.floor((asUtc - ahead(asUtc - ahead(asUtc, zone), zone)) / 1000);
}

function select(item, common) {
  const initial = item.initial_option?.value;
  const options = item.options.map((o) => h("option", { value: o.value, selected: o.value === initial }, o.text.text));
  const node = h("select", common, initial ? null : h("option", { value: "" }, "Choose…"), ...options);
  node.options_ = item.options;
  return node;
}

function choices(item, data) {
  const type = item.type === "checkboxes" ? "checkbox" : "radio";
  const picked = [item.initial_option, ...(item.initial_options || [])].filter(Boolean).map((o) => o.value);
  const node = h("div", { dataset: data }, ...item.options.map((o) => h("label", { className: "choice" },
    h("input", { type, name: item.action_id, value: o.value, checked: picked.includes(o.value) }), o.text.text)));
  node.options_ = item.options;
  return node;
}

export function stateOf(node) {
  const values = {};
  for (const each of node.querySelectorAll("[data-action]")) {
    const { block, action, kind } = each.dataset;
    values[block] = { ...values[block], [action]: { type: kind, ...valueOf(each, kind) } };
  }
  return values;
}

function valueOf(node, kind) {
  if (kind === "static_select") return { selected_option: node.options_.find((o) => o.value === node.value) || null };
  if (kind === "checkboxes" || kind === "radio_buttons") {
    const ticked = [...node.querySelectorAll("input:checked")].map((box) => box.value);
    const options = node.options_.filter((o) => ticked.includes(o.value));
    return kind === "checkboxes" ? { selected_options: options } : { selected_option: options[0] || null };
  }
  if (kind === "datetimepicker") {
    return { selected_date_time: node.value ? momentOf(node.value, node.dataset.zone) : null };
  }
  const names = { datepicker: "selected_date", timepicker: "selected_time" };
  return { [names[kind] || "value"]: node.value || null };
}
