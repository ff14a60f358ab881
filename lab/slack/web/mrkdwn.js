// mrkdwn, Slack's way of writing, as DOM nodes. People and zones come from `room`.
import { h, safeLink } from "./dom.js";

const EMOJI = {
  white_check_mark: "✅", heavy_check_mark: "✔️", x: "❌", warning: "⚠️", rotating_light: "🚨", hourglass: "⌛",
  hourglass_flowing_sand: "⏳", ambulance: "🚑", eyes: "👀", tada: "🎉", fire: "🔥", mag: "🔍", lock: "🔒",
  clock: "🕒", information_source: "ℹ️", pushpin: "📌", red_circle: "🔴", large_green_circle: "🟢",
  large_yellow_circle: "🟡", white_circle: "⚪", "+1": "👍", thumbsup: "👍", memo: "📝", rewind: "⏪", octagonal_sign: "🛑",
};
const INLINE = /(`[^`\n]+`)|<([^<>\n]+)>|(^|[\s(.,;:!?"'“‘\-–—/*_~])([*_~])(?=\S)((?:(?!\4).)*?\S)\4(?=$|[\s).,;:!?"'”’\-–—/*_~])|:([a-z0-9_+-]+):/;
const TAGS = { "*": "strong", "_": "em", "~": "s" };

export function unescape(text) {
  return text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
}

export function mrkdwn(text, room) {
  const box = h("div", { className: "text" });
  text.split(/```/).forEach((part, index) => {
    if (index % 2) box.append(h("pre", {}, unescape(part.replace(/^\n|\n$/g, ""))));
    else if (part) box.append(...lines(index ? part.replace(/^\n/, "") : part, room));
  });
  return box;
}

function lines(text, room) {
  const nodes = [];
  let quote = null;
  text.split("\n").forEach((line, index, all) => {
    const quoted = line.match(/^&gt; ?(.*)$/) || line.match(/^> ?(.*)$/);
    if (quoted) {
      if (!quote) nodes.push((quote = h("blockquote")));
      else quote.append("\n");
      quote.append(...inline(quoted[1], room));
      return;
    }
    quote = null;
    nodes.push(...inline(line, room));
    if (index < all.length - 1) nodes.push("\n");
  });
  return nodes;
}

export function inline(text, room) {
  const nodes = [];
  let rest = text;
  let match;
  while ((match = rest.match(INLINE))) {
    const [whole, code, link, before, mark, inside, emoji] = match;
    nodes.push(unescape(rest.slice(0, match.index)));
    if (code) nodes.push(h("code", {}, unescape(code.slice(1, -1))));
    else if (link) nodes.push(special(link, room));
    else if (mark) nodes.push(before, h(TAGS[mark], {}, ...inline(inside, room)));
    else nodes.push(EMOJI[emoji] || whole);
    rest = rest.slice(match.index + whole.length);
  }
  nodes.push(unescape(rest));
  return nodes;
}

function special(link, room) {
  const [target, label] = link.split(/\|(.*)/s);
  if (target.startsWith("@")) return mention(target.slice(1), room);
  if (target.startsWith("#")) return h("span", { className: "mention" }, `#${room.channelName(target.slice(1)) || label}`);
  if (target.startsWith("!date^")) return date(target.split("^"), label, room);
  if (target.startsWith("!subteam^")) return h("span", { className: "mention" }, `@${room.groupName(target.slice(9)) || label}`);
  if (target.startsWith("!")) return h("span", { className: "mention me" }, `@${target.slice(1)}`);
  const href = unescape(target);
  return h("a", { href: safeLink(href), target: "_blank", rel: "noopener noreferrer" }, unescape(label || target));
}

export function mention(id, room) {
  const mine = id === room.user ? " me" : "";
  return h("span", { className: `mention${mine}` }, `@${room.name(id)}`);
}

function date([, epoch, format], fallback, room) {
  const when = new Date(Number(epoch) * 1000);
  if (Number.isNaN(when.getTime())) return fallback || "";
  const words = format.replace(/\{(\w+)\}/g, (whole, token) => dateToken(token, when, room.zone) ?? whole);
  return h("time", { dateTime: when.toISOString(), title: `${when.toISOString()} (${fallback || ""})` }, words);
}

function dateToken(token, when, timeZone) {
  const write = (options) => new Intl.DateTimeFormat("en-GB", { timeZone, ...options }).format(when);
  const pretty = token.endsWith("_pretty") ? nearDay(when, timeZone) : null;
  const day = { date: "long", date_long: "full", date_short: "medium" }[token.replace("_pretty", "")];
  if (token === "time") return write({ hour: "2-digit", minute: "2-digit" });
  if (token === "time_secs") return write({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
  if (token === "date_num") return new Intl.DateTimeFormat("sv-SE", { timeZone }).format(when);
  if (token === "ago") return ago(when);
  return pretty || (day ? write({ dateStyle: day }) : null);
}

function nearDay(when, timeZone) {
  const key = (moment) => new Intl.DateTimeFormat("sv-SE", { timeZone }).format(moment);
  const day = 86400000;
  const names = { [key(new Date())]: "today", [key(new Date(Date.now() - day))]: "yesterday", [key(new Date(Date.now() + day))]: "tomorrow" };
  return names[key(when)] || null;
}

function ago(when) {
  const minutes = Math.round((Date.now() - when) / 60000);
  const format = new Intl.RelativeTimeFormat("en");
  if (Math.abs(minutes) < 60) return format.format(-minutes, "minute");
  return Math.abs(minutes) < 2880 ? format.format(-Math.round(minutes / 60), "hour") : format.format(-Math.round(minutes / 1440), "day");
}
