// The reader's choice of colours: as the system, light or dark. boot.js applies
// it before the first paint; this part offers the choice.
import { $$, recall, remember } from "./dom.js";

export function startTheme() {
  show(recall("theme") ?? document.documentElement.dataset.theme ?? "");
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-choice]");
    if (!button) return;
    const choice = button.dataset.themeChoice;
    remember("theme", choice || "auto");
    show(choice);
  });
}

function show(choice) {
  const root = document.documentElement;
  if (choice === "light" || choice === "dark") root.dataset.theme = choice;
  else delete root.dataset.theme;
  for (const b of $$("[data-theme-choice]")) b.setAttribute("aria-pressed", String(b.dataset.themeChoice === (choice === "auto" ? "" : choice)));
}
