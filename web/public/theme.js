// SPDX-License-Identifier: Apache-2.0
// Before the first paint, so that nothing flashes, and whenever the choice or the system changes: `data-theme` is the
// theme that is shown, light or dark; `data-choice` what was chosen, where something was (see src/state/theme.ts).
(function () {
  var root = document.documentElement;
  var dark = matchMedia("(prefers-color-scheme: dark)");
  function show() {
    root.dataset.theme = root.dataset.choice || (dark.matches ? "dark" : "light");
  }
  try {
    var kept = localStorage.getItem("theme");
    if (kept === "light" || kept === "dark") root.dataset.choice = kept;
  } catch (e) {
    // Storage may be refused: then the system decides.
  }
  show();
  dark.addEventListener("change", show);
  addEventListener("theme", show);
})();
