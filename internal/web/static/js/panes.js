// The panes of the main screen: which of them are shown, which tab of incidents is.
import { $, $$, recall, remember } from "./dom.js";

const pressed = (link, on) => link.setAttribute("aria-current", on ? "page" : "false");

export function startPanes() {
  document.addEventListener("click", (event) => {
    const home = $("[data-home]");
    const pane = event.target.closest("[data-pane-link]");
    if (home && pane) {
      event.preventDefault();
      showPane(pane.dataset.paneLink);
    }
    const tab = event.target.closest("[data-tab-link]");
    if (tab) {
      event.preventDefault();
      showTab(tab.dataset.tabLink);
    }
    const toggle = event.target.closest("[data-toggle-filters]");
    if (toggle) {
      const open = $("#filters").classList.toggle("is-open");
      toggle.setAttribute("aria-expanded", String(open));
    }
  });
  $("#filters")?.classList.toggle("is-open", $("[data-toggle-filters]")?.getAttribute("aria-expanded") === "true");
  for (const box of $$("[data-pane-toggle]")) {
    const pane = box.dataset.paneToggle;
    box.checked = recall(`hide.${pane}`) !== "1";
    box.addEventListener("change", () => hide(pane, !box.checked));
  }
}

function hide(pane, on) {
  remember(`hide.${pane}`, on ? "1" : null);
  document.documentElement.toggleAttribute(`data-hide-${pane}`, on);
}

export function showPane(name) {
  const home = $("[data-home]");
  if (!home) return false;
  home.dataset.pane = name;
  for (const link of $$("[data-pane-link]")) pressed(link, link.dataset.paneLink === name);
  history.replaceState(null, "", addressWith("pane", name));
  home.dispatchEvent(new CustomEvent("watchroom:pane", { bubbles: true, detail: name }));
  return true;
}

export function showTab(state) {
  const pane = $("[data-incidents]");
  if (!pane) return;
  pane.dataset.tab = state;
  for (const link of $$("[data-tab-link]", pane)) pressed(link, link.dataset.tabLink === state);
  for (const list of $$("[data-list]", pane)) list.hidden = list.dataset.list !== state;
}

function addressWith(name, value) {
  const url = new URL(location.href);
  url.searchParams.set(name, value);
  return url;
}
