"use strict";
// A task without a page load between: pictures are fetched and decoded before they are shown, reaction time starts when
// all four are drawn, and an answer that cannot be sent stays on the page. Without this file the form works by itself.
(() => {
  const decoded = new Map(); // address -> promise of an image that is ready to draw
  const KEYS = { 1: "left", ArrowLeft: "left", 2: "right", ArrowRight: "right", b: "both", n: "neither" };
  const EARLY = 350; // ms in which a double click still belongs to the task before
  let drawnAt = null;
  let lost = 0;
  let mode = "click";
  let sending = false;

  const form = () => document.getElementById("task");
  const field = (name) => form().elements.namedItem(name);
  const chosen = () => form().querySelector("input[name=choice]:checked");

  function picture(address) {
    if (!decoded.has(address)) {
      const image = new Image();
      image.src = address;
      decoded.set(address, ready(image));
      decoded.get(address).catch(() => decoded.delete(address));
    }
    return decoded.get(address);
  }

  // The image itself, once it can be drawn; a picture that fails is asked for a second time.
  async function ready(image) {
    try {
      await image.decode();
    } catch {
      image.src = image.src;
      await image.decode();
    }
    return image;
  }

  function say(text) {
    const place = document.getElementById("problem");
    if (!place) return;
    place.textContent = text || "";
    place.hidden = !text;
  }

  function keysOn() {
    try { return localStorage.getItem("keys") !== "off"; } catch { return true; }
  }

  async function begin() {
    drawnAt = null;
    lost = 0;
    sending = false;
    const here = form();
    const keys = document.getElementById("keys");
    if (keys) keys.checked = keysOn();
    try {
      await Promise.all([...here.querySelectorAll(".tiles img")].map(ready));
    } catch {
      const problem = document.getElementById("problem");
      if (!problem) return; // a training page, whose pictures lie beside this file
      say(problem.dataset.picture);
      document.getElementById("leave-out").hidden = false;
      here.querySelector(".choices").disabled = true;
      here.querySelector(".confirm").disabled = true;
      return;
    }
    requestAnimationFrame(() => requestAnimationFrame(() => {
      if (form() !== here) return;
      drawnAt = performance.now();
      here.dataset.drawn = "";
      for (const address of (here.dataset.next || "").split(" ").filter(Boolean)) {
        picture(new URL(address, location).href).catch(() => {});
      }
    }));
  }

  function fill() {
    field("client_rt_ms").value = Math.round(performance.now() - drawnAt);
    field("input").value = mode;
    field("n_blur").value = lost;
    field("viewport").value = `${innerWidth}x${innerHeight}`;
  }

  async function send() {
    if (sending || drawnAt === null) return;
    if (!chosen()) { form().reportValidity(); return; }
    fill();
    if ("training" in form().dataset) { form().submit(); return; }
    sending = true;
    form().setAttribute("aria-busy", "true");
    say("");
    const words = document.getElementById("problem").dataset;
    try {
      const answer = await fetch(form().action, { method: "POST", body: new URLSearchParams(new FormData(form())) });
      if (answer.status >= 500 || answer.status === 429) throw new Error("busy");
      await show(answer);
    } catch (problem) {
      sending = false;
      form().removeAttribute("aria-busy");
      say(problem.message === "busy" ? words.busy : words.offline);
    }
  }

  async function show(answer) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.getElementById("task");
    if (!answer.ok || !next) {
      // The end, or a refusal: a page of its own, loaded as one.
      location.assign(answer.ok ? answer.url : "/task");
      return;
    }
    // Pictures fetched ahead take the places of those in the page, so none is fetched twice.
    await Promise.allSettled([...next.querySelectorAll(".tiles img")].map(async (image) => {
      const address = new URL(image.getAttribute("src"), location).href;
      const fresh = await picture(address);
      decoded.delete(address);
      for (const { name, value } of image.attributes) if (name !== "src") fresh.setAttribute(name, value);
      image.replaceWith(fresh);
    }));
    document.title = page.title;
    history.replaceState(null, "", answer.url);
    document.getElementById("main").replaceWith(document.adoptNode(page.getElementById("main")));
    scrollTo(0, 0);
    document.getElementById("main").focus({ preventScroll: true });
    await begin();
  }

  function choose(value) {
    const option = form().querySelector(`input[name=choice][value=${value}]`);
    if (!option || option.closest("fieldset").disabled) return;
    option.checked = true;
    option.focus({ preventScroll: true });
  }

  addEventListener("pointerdown", (event) => { mode = event.pointerType === "mouse" ? "click" : "touch"; }, true);

  document.addEventListener("keydown", (event) => {
    if (!form() || event.ctrlKey || event.altKey || event.metaKey) return;
    const at = event.target;
    if (event.key === "Enter") {
      if (at.closest("a, button, summary, details, header")) return;
      event.preventDefault();
      if (event.repeat) return; // a key held down answers one task, not the next ones too
      if (!chosen() && at.name === "choice") at.checked = true;
      mode = "key";
      send();
      return;
    }
    if (at.closest("details, header") || event.repeat) return;
    const arrow = event.key.startsWith("Arrow");
    const value = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (value && (arrow || keysOn())) {
      event.preventDefault();
      mode = "key";
      choose(value);
    } else if (at.name === "choice" && (event.key === " " || arrow)) {
      mode = "key";
    }
  });

  document.addEventListener("dblclick", (event) => {
    const label = form() && event.target.closest(".choice");
    if (!label || drawnAt === null || performance.now() - drawnAt < EARLY) return;
    choose(label.querySelector("input").value);
    if (mode === "click") mode = "dblclick";
    send();
  });

  document.addEventListener("submit", (event) => {
    if (event.target !== form()) return;
    event.preventDefault();
    send();
  });

  document.addEventListener("change", (event) => {
    if (event.target.id !== "keys") return;
    try { localStorage.setItem("keys", event.target.checked ? "on" : "off"); } catch { /* kept for this page alone */ }
  });

  addEventListener("blur", () => { lost += 1; });
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  begin();
})();
