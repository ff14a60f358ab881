// The room: what it knows, how it hears of changes, what it draws where.
import { call, h, toast } from "./dom.js";
import { blocks } from "./blocks.js";
import { closeModal, confirmed, showModal } from "./dialogs.js";
import { message } from "./messages.js";

const $ = (id) => document.getElementById(id);
const FAULTS = { off: "works", down: "is down", slow: "is slow", limited: "limits", errors: "fails", twice: "delivers twice" };

const room = {
  user: new URLSearchParams(location.search).get("user") || localStorage.getItem("user") || "oncall",
  people: [], groups: [], channels: [], messages: [], commands: [], channel: "C0OPSEMERG", thread: null, home: null, bot: "",
  name(id) { return this.people.find((p) => p.id === id)?.name || id; },
  realName(id) { return this.people.find((p) => p.id === id)?.real_name || id; },
  groupName(id) { return this.groups.find((g) => g.id === id)?.handle || ""; },
  channelName(id) { return this.channels.find((c) => c.id === id)?.name || ""; },
  get zone() { return this.people.find((p) => p.id === this.user)?.tz || "UTC"; },
};
const rootOf = (m) => m.thread_ts || m.ts;
const unread = new Set();
let stream = null;

async function load() {
  const state = await (await fetch(`/practice/state?user=${encodeURIComponent(room.user)}`)).json();
  if (!state.ok) { room.user = "oncall"; return load(); }
  Object.assign(room, state);
  $("user").replaceChildren(...state.people.filter((p) => p.id !== state.bot).map((p) =>
    h("option", { value: p.id, selected: p.id === state.user, title: p.title }, `${p.name} · ${p.tz}`)));
  $("fault").replaceChildren(...Object.entries(FAULTS).map(([mode, words]) =>
    h("option", { value: mode, selected: mode === state.fault }, words)));
  $("dialogs").replaceChildren();
  state.views.forEach((view) => showModal(view, room));
  drawAll();
}

function listen() {
  stream?.close();
  stream = new EventSource(`/practice/events?user=${room.user}`);
  let lost = false;
  stream.onerror = () => { lost = true; drawStatus(false); };
  stream.onopen = () => { if (lost) { lost = false; load(); } };
  stream.onmessage = (event) => hear(JSON.parse(event.data));
}

function hear({ kind, message: told, view, what }) {
  if (told) return hearMessage(kind, told);
  if (kind === "view") return showModal(view, room);
  if (kind === "view_closed") return closeModal(view.id);
  if (kind === "home") { room.home = view; if (room.channel === "home") drawChannel(); return undefined; }
  if (kind === "fault") { room.fault = what; $("fault").value = what; }
  if (kind === "sockets") room.sockets = what;
  return drawStatus();
}

function hearMessage(kind, told) {
  const index = room.messages.findIndex((m) => m.channel === told.channel && m.ts === told.ts);
  if (kind === "delete") { if (index >= 0) room.messages.splice(index, 1); }
  else if (index >= 0) room.messages[index] = told;
  else if (room.channels.some((c) => c.id === told.channel)) room.messages.push(told);
  if (kind === "message" && told.channel !== room.channel) { unread.add(told.channel); drawSide(); }
  drawChannel();
  if (room.thread && rootOf(told) === room.thread) drawThread();
}

function drawAll() {
  $("fault").classList.toggle("bad", room.fault !== "off");
  drawStatus(); drawSide(); drawChannel(); drawThread(); drawComposers();
}

function drawStatus(here = true) {
  const words = !here ? "room not reachable" : room.sockets ? "bot connected" : "no bot connected";
  $("status").className = `status${here && room.sockets ? " on" : ""}`;
  $("status").textContent = words;
  $("fault").classList.toggle("bad", room.fault !== "off");
}

function drawSide() {
  const entry = (id, label) => h("button", { className: room.channel === id ? "here" : "", type: "button", onclick: () => enter(id) },
    label, unread.has(id) ? h("span", { className: "badge" }, "new") : null);
  const shared = room.channels.filter((c) => !c.is_direct);
  $("side").replaceChildren(
    h("h2", {}, "Channels"), ...shared.map((c) => entry(c.id, `# ${c.name}`)),
    h("h2", {}, "Mayday"), entry("home", "Home tab"),
    ...room.channels.filter((c) => c.is_direct).map((c) => entry(c.id, "Direct messages")));
}

async function enter(id) {
  room.channel = id;
  room.thread = null;
  unread.delete(id);
  drawAll();
  if (id === "home") await call(`/home/${room.user}`, {});
}

function drawChannel() {
  const place = room.channels.find((c) => c.id === room.channel);
  const isHome = room.channel === "home";
  const title = isHome ? "Mayday · Home" : place?.is_direct ? "Mayday" : `# ${place?.name || ""}`;
  $("channel-head").replaceChildren(h("h1", {}, title), h("p", {}, place?.topic || ""));
  $("channel-composer").hidden = isHome;
  if (isHome) drawFromTop($("channel-list"), drawHome());
  else keepAtEnd($("channel-list"), channelMessages);
  $("channel-list").dataset.shows = room.channel;
}

const FIRST = [
  ["In another terminal, in the folder of Mayday: ", ".venv/bin/mayday lab break data-loss", ". A channel and its messages are gone; it prints the command of step 2."],
  ["Here, as Olga Nowak (oncall), send it: ", "/recover postgres pitr", " and the moment before the loss."],
  ["Its thread begins: open it by its replies. Read the plan, press: ", "Pause writers and restore"],
  ["At the question for a second person choose Ada Prewitt (approver) under You are, press: ", "Cut over", ". Type the name that it asks for."],
  ["The thread ends with the report: ", "Recovered", "."],
];

function quiet() {
  const steps = FIRST.map(([before, said, after]) => h("li", {}, before, h("b", {}, said), after || ""));
  return h("div", { className: "empty" },
    h("p", {}, "Quiet. Type a command such as ", h("b", {}, "/recover help"), " below. A first recovery:"),
    h("ol", {}, ...steps));
}

function channelMessages() {
  const mine = room.messages.filter((m) => m.channel === room.channel);
  const roots = mine.filter((m) => rootOf(m) === m.ts);
  // The first base backup is the only message of a new room.
  const isNew = roots.filter((m) => !m.only_for).length < 2 && !room.thread && room.channel === "C0OPSEMERG";
  return [...roots.map((m) => message(m, room, {
    where: "c", open: m.ts === room.thread,
    replies: m.only_for ? null : { count: mine.filter((r) => r.thread_ts === m.ts && r.ts !== m.ts && !r.only_for).length, open: () => openThread(m.ts) },
  })), ...(isNew ? [quiet()] : [])];
}

function drawHome() {
  const view = room.home;
  if (!view) return h("p", { className: "empty" }, "The bot has not drawn its home tab yet.");
  const press = async (block, item, chosen) => {
    if (item.confirm && !(await confirmed(item.confirm, room))) return;
    const where = { view_id: view.id, block_id: block.block_id, action_id: item.action_id };
    const answer = await call("/press", { user: room.user, ...where, chosen });
    if (!answer.ok) toast(answer);
  };
  return h("div", { className: "home" }, blocks(view.blocks, { room, press, scope: view.id }));
}

function openThread(ts) {
  room.thread = ts;
  drawAll();
  $("thread-list").scrollTop = $("thread-list").scrollHeight;
}

function drawThread() {
  $("thread").hidden = !room.thread;
  $("main").classList.toggle("with-thread", Boolean(room.thread));
  if (!room.thread) return;
  const close = h("button", { type: "button", ariaLabel: "Close thread", onclick: () => { room.thread = null; drawAll(); } }, "×");
  $("thread-head").replaceChildren(h("h1", {}, "Thread"), h("p", {}, `# ${room.channelName(room.channel)}`), close);
  const mine = room.messages.filter((m) => m.channel === room.channel && rootOf(m) === room.thread);
  keepAtEnd($("thread-list"), () => mine.map((m) => message(m, room, { where: "t" })));
}

// A page is read from its top, and stays where it is while it is drawn anew.
function drawFromTop(list, page) {
  const at = list.dataset.shows === room.channel ? list.scrollTop : 0;
  list.replaceChildren(page);
  list.scrollTop = at;
}

// Redraw without moving what somebody is reading, and follow the end if they were there.
function keepAtEnd(list, draw) {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  const opened = new Set([...list.querySelectorAll("details[open]")].map((d) => d.closest("article")?.id));
  const before = list.scrollTop;
  list.replaceChildren(...draw());
  list.querySelectorAll("details").forEach((d) => { d.open = opened.has(d.closest("article")?.id); });
  list.scrollTop = atEnd ? list.scrollHeight : before;
}

function drawComposers() {
  composer($("channel-composer"), "A command or a message", () => ({ channel: room.channel }));
  composer($("thread-composer"), "Reply, or @Mayday …", () => ({ channel: room.channel, thread: room.thread }));
}

function composer(form, placeholder, where) {
  if (form.childElementCount) return;
  const box = h("textarea", { placeholder, ariaLabel: placeholder, maxLength: 12000 });
  const send = h("button", { type: "submit" }, "Send");
  form.append(box, send);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); }
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = box.value;
    if (!text.trim()) return;
    box.value = "";
    const answer = await call("/say", { user: room.user, text, ...where() });
    if (!answer.ok) { toast(answer); box.value = box.value || text; }
    else if (answer.thread && answer.thread !== room.thread && room.channel === "C0OPSEMERG") openThread(answer.thread);
  });
}

$("user").addEventListener("change", async (event) => {
  room.user = event.target.value;
  localStorage.setItem("user", room.user);
  unread.clear();
  if (room.channel.startsWith("D")) room.channel = "C0OPSEMERG";
  await load();
  listen();
});
$("fault").addEventListener("change", async (event) => {
  const answer = await call("/fault", { mode: event.target.value });
  if (!answer.ok) toast(answer);
});

// No window of a browser is narrower than 500 pixels, and phones are: the page of a phone has its width said.
const wide = Number(new URLSearchParams(location.search).get("width"));
if (wide) document.body.style.width = `${wide}px`;
await load();
const asked = new URLSearchParams(location.search).get("thread");
if (asked) openThread(asked === "newest" ? room.messages.filter((m) => m.user_id === room.bot && m.channel === room.channel && !m.only_for).map(rootOf).sort().at(-1) : asked);
if (new URLSearchParams(location.search).get("tab") === "home") enter("home");
// A still page, for screenshots: it shows what is and hears of nothing more.
if (!new URLSearchParams(location.search).has("still")) listen();
// How tall the whole thread is, for whoever measures how much of it a screen holds.
document.documentElement.dataset.thread = $("thread-list").scrollHeight;
