// Every block the room can show. `context` says what a button press does: {room, press(block, element, chosen)}.
import { h, safeLink } from "./dom.js";
import { inline, mention, mrkdwn } from "./mrkdwn.js";
import { control } from "./inputs.js";

const MARKS = { complete: "✓", error: "!", pending: "", in_progress: "" };

export function blocks(list, context) {
  return h("div", { className: "blocks" }, ...list.map((block) => one(block, context)));
}

function one(block, context) {
  const draw = DRAW[block.type];
  const node = draw ? draw(block, context) : h("div", { className: "unknown" }, `[${block.type}]`);
  node.dataset.block = block.block_id || "";
  return node;
}

export function text(object, room) {
  if (!object) return h("span");
  if (typeof object === "string") return h("span", {}, object);
  return object.type === "mrkdwn" ? mrkdwn(object.text, room) : h("div", { className: "text" }, object.text);
}

// A file of the workspace, by its id or its address, or a picture from elsewhere.
function source(block) {
  const file = block.slack_file || {};
  return file.id ? `/files/${encodeURIComponent(file.id)}/picture` : file.url || block.image_url || "";
}

const DRAW = {
  section: (block, context) => h("div", { className: "section" },
    h("div", { className: "body" }, block.text ? text(block.text, context.room) : null,
      block.fields ? h("div", { className: "fields" }, ...block.fields.map((field) => text(field, context.room))) : null),
    block.accessory ? element(block, block.accessory, context) : null),
  header: (block, context) => h("div", { className: "header", role: "heading", ariaLevel: "3" }, text(block.text, context.room)),
  divider: () => h("hr"),
  image: (block) => h("figure", {}, block.title ? h("figcaption", {}, block.title.text) : null,
    h("img", { src: safeLink(source(block)), alt: block.alt_text, style: "max-width:min(100%,480px)" })),
  actions: (block, context) => h("div", { className: "actions" }, ...block.elements.map((e) => element(block, e, context))),
  context: (block, context) => h("div", { className: "context" }, ...block.elements.map((e) => element(block, e, context))),
  context_actions: (block, context) => DRAW.actions(block, context),
  input: (block, context) => control(block, context),
  markdown: (block, context) => markdown(block.text, context.room),
  rich_text: (block, context) => rich(block.elements, context.room),
  table: (block, context) => table(block, context.room),
  plan: (block, context) => plan(block, context.room),
  task_card: (block, context) => task(block, context.room, true),
  alert: (block, context) => h("div", { className: `alert ${block.level || ""}` }, text(block.text, context.room)),
};

function element(block, item, context) {
  if (item.type === "mrkdwn" || item.type === "plain_text") return text(item, context.room);
  if (item.type === "image") return h("img", { src: safeLink(item.image_url || ""), alt: item.alt_text, style: "max-width:80px" });
  if (item.visible_to_user_ids?.length && !item.visible_to_user_ids.includes(context.room.user)) return null;
  if (item.type === "button") return button(block, item, context);
  if (item.options) return menu(block, item, context);
  return h("span", { className: "unknown" }, `[${item.type}]`);
}

function button(block, item, context) {
  const looks = `button ${item.style || ""}`;
  const node = h("button", { className: looks, type: "button", title: item.accessibility_label }, item.text.text);
  node.addEventListener("click", () => {
    if (item.url) window.open(safeLink(item.url), "_blank", "noopener");
    context.press(block, item, null, node);
  });
  return node;
}

function menu(block, item, context) {
  const label = item.placeholder?.text || "Choose…";
  const chosen = item.initial_option?.value;
  const options = item.options.map((option) => h("option", { value: option.value, selected: option.value === chosen }, option.text.text));
  const node = h("select", { ariaLabel: label }, chosen ? null : h("option", { value: "" }, label), ...options);
  node.addEventListener("change", () => {
    const option = item.options.find((each) => each.value === node.value);
    if (option) context.press(block, item, option, node);
  });
  return node;
}

function table(block, room) {
  const align = (index) => block.column_settings?.[index]?.align || "left";
  const cell = (item) => (item.type === "rich_text" ? rich(item.elements, room) : String(item.text ?? item.value ?? ""));
  const row = (cells) => h("tr", {}, ...cells.map((item, index) => h("td", { style: `text-align:${align(index)}` }, cell(item))));
  return h("div", { className: "table" }, h("table", {}, h("tbody", {}, ...block.rows.map(row))));
}

function plan(block, room) {
  const tasks = block.tasks || [];
  const done = tasks.filter((each) => each.status === "complete").length;
  const count = tasks.length ? h("span", { className: "count" }, `${done} of ${tasks.length}`) : null;
  return h("div", { className: "plan" }, h("h3", {}, typeof block.title === "string" ? h("div", { className: "text" }, block.title) : text(block.title, room), count), ...tasks.map((each) => task(each, room, false)));
}

function task(item, room, alone) {
  const status = item.status || "in_progress";
  const more = [item.details, item.output].filter(Boolean).map((part) => rich(part.elements, room));
  const sources = (item.sources || []).map((source) => h("a", { href: safeLink(source.url), target: "_blank", rel: "noopener" }, source.text));
  return h("div", { className: `task ${status}${alone ? " card" : ""}` },
    h("span", { className: "mark", role: "img", ariaLabel: status.replace("_", " ") }, MARKS[status]),
    h("div", {}, h("div", { className: "title" }, text(item.title, room)),
      more.length || sources.length ? h("div", { className: "more" }, ...more, ...sources) : null));
}

export function rich(elements, room) {
  return h("div", { className: "rich" }, ...(elements || []).map((part) => richPart(part, room)));
}

function richPart(part, room) {
  const inner = (part.elements || []).map((item) => (item.elements ? richPart(item, room) : richInline(item, room)));
  if (part.type === "rich_text_list") {
    return h(part.style === "ordered" ? "ol" : "ul", { style: `margin-left:${(part.indent || 0) * 20}px` }, ...inner.map((item) => h("li", {}, item)));
  }
  if (part.type === "rich_text_preformatted") return h("pre", {}, ...inner);
  return h(part.type === "rich_text_quote" ? "blockquote" : "div", { className: "text" }, ...inner);
}

function richInline(item, room) {
  if (item.type === "user") return mention(item.user_id, room);
  if (item.type === "usergroup") return h("span", { className: "mention" }, `@${room.groupName(item.usergroup_id)}`);
  if (item.type === "link") return h("a", { href: safeLink(item.url), target: "_blank", rel: "noopener" }, item.text || item.url);
  if (item.type === "emoji") return h("span", {}, ...inline(`:${item.name}:`, room));
  let node = item.text ?? item.fallback ?? "";
  const style = item.style || {};
  if (style.code) node = h("code", {}, node);
  if (style.bold) node = h("strong", {}, node);
  if (style.italic) node = h("em", {}, node);
  if (style.strike) node = h("s", {}, node);
  return node;
}

// Standard Markdown, as far as bots use it: headings, lists, bold, code, links.
function markdown(source, room) {
  const marked = source
    .replace(/\*\*(.+?)\*\*/g, "\u0001$1\u0001").replace(/(^|\W)\*(\S[^*\n]*)\*/g, "$1_$2_").replace(/\u0001/g, "*")
    .replace(/\[([^\]\n]+)\]\((\S+?)\)/g, "<$2|$1>").replace(/^#{1,6} (.+)$/gm, "*$1*").replace(/^[-*] /gm, "• ");
  return mrkdwn(marked, room);
}
