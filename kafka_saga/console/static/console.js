// Runs before the page is shown: light or dark as it was chosen.
"use strict";
(() => {
  const KEY = "saga-theme";
  const root = document.documentElement;
  const chosen = () => {
    try { return localStorage.getItem(KEY); } catch { return null; }
  };
  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  if (["light", "dark"].includes(chosen())) root.dataset.theme = chosen();

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const tell = () => button.setAttribute("aria-pressed", String(isDark()));
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      try { localStorage.setItem(KEY, root.dataset.theme); } catch { /* it lasts as long as the page, then */ }
      tell();
    });
    tell();

    // `saga up` prints an address that carries the token behind #, which no server and no log ever sees.
    const token = document.getElementById("token");
    if (token && location.hash.startsWith("#token=")) {
      token.value = decodeURIComponent(location.hash.slice("#token=".length));
      history.replaceState(null, "", location.pathname + location.search);
    }
    // What was asked for is said once.
    const here = new URL(location.href);
    if (here.searchParams.has("asked")) {
      ["asked", "sagas", "refused"].forEach((name) => here.searchParams.delete(name));
      history.replaceState(null, "", here);
    }
  });
})();
