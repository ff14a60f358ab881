// Small helpers: elements made of text, never of HTML strings, and calls to the control API.

export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "dataset") Object.assign(node.dataset, value);
    else if (key in node && key !== "list" && key !== "form") node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export async function call(path, body) {
  const answer = await fetch(`/practice${path}`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  });
  return answer.json();
}

export function toast(answer) {
  const text = typeof answer === "string" ? answer : answer.detail || answer.error;
  const node = h("div", { className: "toast" }, text, answer.hint ? h("small", {}, answer.hint) : null);
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), 7000);
}

// A link may lead to a web page or a mail address and nowhere else.
export function safeLink(url) {
  return /^(https?:|mailto:|\/)/i.test(url) ? url : "#";
}
