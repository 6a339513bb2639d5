// What the page does by itself while it is open: it keeps what a person has opened, ticked or typed when its parts are
// asked for anew, lets times grow, and counts ticks.
"use strict";
(() => {
  const isInUse = (node) =>
    node instanceof Element &&
    (node.matches("input.tick, input[data-all], #whom, [data-keep]") ||
      (node.matches("details.act[open]") && node.querySelector("form") !== null));

  Idiomorph.defaults.callbacks.beforeNodeMorphed = (old) => !isInUse(old);
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.matches("details"));

  // An address says only what was chosen.
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt.id !== "filters") return;
    const kept = event.detail.formData;
    [...kept.keys()].forEach((name) => { if (kept.get(name) === "") kept.delete(name); });
  });

  // A page that is shown again from the browser's own cache is an old one.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  const UNITS = [[86400000, "d", 3600000, "h"], [3600000, "h", 60000, "min"]];
  const length = (ms) => {
    const left = Math.max(0, ms);
    if (left < 60000) return `${(left / 1000).toFixed(0)} s`;
    if (left < 3600000) return `${Math.floor(left / 60000)} min`;
    const [big, word, small, unit] = UNITS.find(([size]) => left >= size);
    return `${Math.floor(left / big)} ${word} ${Math.floor((left % big) / small)} ${unit}`;
  };
  const tick = () => {
    const now = Date.now();
    document.querySelectorAll("time[data-ago]").forEach((time) => {
      const said = length(now - Date.parse(time.dateTime));
      if (time.textContent !== said) time.textContent = said;
    });
  };
  setInterval(tick, 1000);
  document.addEventListener("htmx:afterSettle", tick);

  const count = () => {
    const form = document.querySelector("[data-bulk]");
    if (!form) return;
    const ticks = [...document.querySelectorAll("input.tick")];
    const on = ticks.filter((one) => one.checked).length;
    const whom = document.getElementById("whom");
    const all = document.querySelector("[data-all]");
    all.checked = on > 0 && on === ticks.length;
    all.indeterminate = on > 0 && on < ticks.length;
    form.querySelector("[data-picked]").textContent = on ? `${on} ticked` : "none ticked";
    form.querySelectorAll("button").forEach((button) => { button.disabled = !on && !whom?.checked; });
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-all]")) {
      document.querySelectorAll("input.tick").forEach((one) => { one.checked = event.target.checked; });
    }
    count();
  });
  document.addEventListener("htmx:afterSettle", count);
  count();

  const NOT_LIVE = '<span class="state tone-bad">Not live: the console does not answer</span>';
  document.addEventListener("htmx:sseError", () => {
    const standing = document.getElementById("standing");
    if (standing) standing.innerHTML = NOT_LIVE;
  });
})();
