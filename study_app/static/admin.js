// The monitor renews itself while the box is ticked. Without scripts, the page is simply loaded again.
"use strict";

const live = document.getElementById("live");
const box = document.getElementById("renew");
const SECONDS = 15;

async function renew() {
  // Nothing moves under somebody's hands: not while the page is hidden, nor while something in it has the focus.
  if (!box.checked || document.hidden || live.contains(document.activeElement)) return;
  const answer = await fetch(location.href, { credentials: "same-origin" });
  if (answer.redirected) { location.reload(); return; } // the session has ended
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("live");
  if (!fresh) return;
  const open = [...live.querySelectorAll("details")].map((one) => one.open);
  live.replaceChildren(...fresh.childNodes);
  live.querySelectorAll("details").forEach((one, index) => { one.open = open[index] || false; });
}

if (live && box) {
  box.closest("label").hidden = false;
  setInterval(() => renew().catch(() => {}), 1000 * SECONDS);
}
