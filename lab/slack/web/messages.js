// One message: face, name, time, blocks, files, and the way into its thread.
import { call, h, toast } from "./dom.js";
import { blocks } from "./blocks.js";
import { confirmed } from "./dialogs.js";
import { stateOf } from "./inputs.js";
import { mrkdwn } from "./mrkdwn.js";

const COLOURS = ["#8a5a2b", "#4a6b3a", "#7a3b5d", "#3f5f8a", "#5b5b5b", "#8a3b32"];

export function message(data, room, options = {}) {
  const node = h("article", { className: `message${data.only_for ? " private" : ""}${options.open ? " open" : ""}`, id: `${options.where}-${data.ts}` });
  node.append(face(data, room), h("div", {}, heading(data, room), body(data, room, node),
    ...data.files.map(file), reactions(data), options.replies ? threadLink(options) : null));
  return node;
}

function face(data, room) {
  const bot = data.user_id === room.bot;
  const index = room.people.findIndex((person) => person.id === data.user_id);
  const colour = bot ? "#0d5c63" : COLOURS[Math.max(0, index) % COLOURS.length];
  const letters = bot ? "M" : room.realName(data.user_id).split(" ").map((word) => word[0]).join("").slice(0, 2);
  return h("div", { className: "face", style: `background:${colour}`, ariaHidden: "true" }, letters);
}

function heading(data, room) {
  const when = new Date(Number(data.ts) * 1000);
  const time = new Intl.DateTimeFormat("en-GB", { timeZone: room.zone, hour: "2-digit", minute: "2-digit" }).format(when);
  return h("div", { className: "who" },
    h("b", {}, data.user_id === room.bot ? room.realName(data.user_id) : data.author),
    data.user_id === room.bot ? h("span", { className: "app" }, "BOT") : null,
    h("time", { dateTime: when.toISOString(), title: `${when.toISOString()} · ${data.ts}` }, time),
    data.edited ? h("small", {}, "edited") : null,
    data.only_for ? h("small", { className: "only" }, "only visible to you") : null);
}

function body(data, room, node) {
  if (!data.blocks.length) return data.text ? mrkdwn(data.text, room) : h("span");
  const press = (block, item, chosen, control) => pressed(data, block, item, chosen, control, room, node);
  return blocks(data.blocks, { room, press, scope: data.ts });
}

async function pressed(data, block, item, chosen, control, room, node) {
  if (item.confirm && !(await confirmed(item.confirm, room))) return;
  control.disabled = true;
  const where = { channel: data.channel, ts: data.ts, block_id: block.block_id, action_id: item.action_id };
  const answer = await call("/press", { user: room.user, ...where, chosen, state: stateOf(node) });
  control.disabled = false;
  if (!answer.ok) toast(answer);
}

function file(item) {
  const size = item.size < 2048 ? `${item.size} bytes` : `${Math.round(item.size / 1024)} KB`;
  return h("details", { className: "file" },
    h("summary", {}, item.title || item.name, h("small", {}, size)),
    h("pre", {}, item.content), h("a", { href: item.url, target: "_blank", style: "padding:6px 12px;display:block" }, "Open alone"));
}

function reactions(data) {
  if (!data.reactions.length) return null;
  return h("div", { className: "reactions" }, ...data.reactions.map((each) => h("span", {}, `:${each.name}: ${each.count}`)));
}

function threadLink(options) {
  const words = options.replies.count ? `${options.replies.count} ${options.replies.count === 1 ? "reply" : "replies"}` : "Open thread";
  return h("button", { className: "replies", type: "button", onclick: options.replies.open }, words);
}
