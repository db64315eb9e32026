// SPDX-License-Identifier: Apache-2.0
// Before the first paint: the theme that was chosen, so that nothing flashes.
try {
  var chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch (e) {
  // Storage may be refused: then the system decides.
}
