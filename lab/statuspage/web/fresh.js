// Looks again every few seconds and replaces what has changed, without a jump for whoever reads.
setInterval(async () => {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = document.querySelector("main"), next = fresh.querySelector("main");
    if (next && now.innerHTML !== next.innerHTML) now.innerHTML = next.innerHTML;
    document.title = fresh.title || document.title;
  } catch { /* the page stays as it was last seen */ }
}, 3000);
