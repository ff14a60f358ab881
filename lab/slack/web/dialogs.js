// Confirm dialogs and modals.
import { call, h, toast } from "./dom.js";
import { blocks, text } from "./blocks.js";
import { stateOf } from "./inputs.js";

const place = () => document.getElementById("dialogs");

export function confirmed(confirm, room) {
  return new Promise((resolve) => {
    const close = (answer) => { node.close(); node.remove(); resolve(answer); };
    const node = h("dialog", { oncancel: () => close(false) },
      h("h2", {}, confirm.title.text),
      h("div", { className: "inside" }, text(confirm.text, room)),
      h("footer", {},
        h("button", { className: "button", type: "button", onclick: () => close(false) }, confirm.deny?.text || "Cancel"),
        h("button", { className: `button solid ${confirm.style || "primary"}`, type: "button", onclick: () => close(true) }, confirm.confirm?.text || "Yes")));
    place().append(node);
    node.showModal();
  });
}

export function showModal(view, room, errors = {}, kept = {}) {
  closeModal(view.id);
  const context = { room, errors, scope: view.id, press: (block, item, chosen) => pressed(view, block, item, chosen, room, form) };
  const form = h("form", { method: "dialog", noValidate: false },
    h("h2", {}, view.title?.text || ""),
    h("div", { className: "inside" }, blocks(view.blocks, context)),
    h("footer", {},
      h("button", { className: "button", type: "button", onclick: () => dismiss(view, room) }, view.close?.text || "Cancel"),
      view.submit ? h("button", { className: "button primary", type: "submit" }, view.submit.text) : null));
  const node = h("dialog", { id: view.id, oncancel: (event) => { event.preventDefault(); dismiss(view, room); } }, form);
  form.addEventListener("submit", (event) => { event.preventDefault(); submit(view, form, room); });
  place().append(node);
  refill(form, kept);
  node.showModal();
}

export function closeModal(id) {
  document.getElementById(id)?.remove();
}

async function submit(view, form, room) {
  const button = form.querySelector("[type=submit]");
  const values = stateOf(form);
  button.disabled = true;
  const answer = await call("/submit", { user: room.user, view_id: view.id, values });
  button.disabled = false;
  if (answer.ok) return;
  if (answer.errors) showModal(view, room, answer.errors, values);
  else toast(answer);
}

async function dismiss(view, room) {
  closeModal(view.id);
  await call("/close", { user: room.user, view_id: view.id });
}

async function pressed(view, block, item, chosen, room, form) {
  if (item.confirm && !(await confirmed(item.confirm, room))) return;
  const where = { view_id: view.id, block_id: block.block_id, action_id: item.action_id };
  const answer = await call("/press", { user: room.user, ...where, chosen, state: stateOf(form) });
  if (!answer.ok) toast(answer);
}

// What was typed stays when a modal is drawn again with its errors.
function refill(form, values) {
  for (const node of form.querySelectorAll("input[data-action], textarea[data-action]")) {
    const value = values[node.dataset.block]?.[node.dataset.action]?.value;
    if (value) node.value = value;
  }
  for (const node of form.querySelectorAll("select[data-action]")) {
    const option = values[node.dataset.block]?.[node.dataset.action]?.selected_option;
    if (option) node.value = option.value;
  }
}
