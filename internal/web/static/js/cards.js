// The incident cards of the page: putting in a newer one, counting, sorting.
import { $, $$, parse } from "./dom.js";

const card = (number) => $(`[data-incidents] #i-${CSS.escape(String(number))}`);

// stateOf says in which state the page shows an incident; undefined when it does not.
export const stateOf = (number) => card(number)?.dataset.state;

// put replaces or adds a card. html "" takes the card away. An older card never
// replaces a newer one, however the answers overtook each other.
export function put({ number, state, html, seq, counts }) {
  const pane = $("[data-incidents]");
  if (!pane) return;
  const old = card(number);
  if (old && seq && Number(old.dataset.seq) > Number(seq)) return;
  // Somebody is choosing from this card's menu: wait until it is closed.
  const menu = old && $(":popover-open", old);
  if (menu) {
    menu.addEventListener("toggle", () => put({ number, state, html, seq, counts }), { once: true });
    return;
  }
  const fresh = html ? parse(html).querySelector("[data-card]") : null;
  const focused = old?.contains(document.activeElement);
  const ticked = old && $("[data-tick]", old)?.checked;
  const moved = old?.dataset.state !== fresh?.dataset.state;
  const next = focused && moved ? (old.nextElementSibling ?? old.previousElementSibling) : null;
  if (fresh) {
    const list = $(`[data-list="${fresh.dataset.state}"] [data-cards]`, pane);
    if (!list) return;
    if (ticked && !moved) $("[data-tick]", fresh).checked = true;
    if (!old) fresh.classList.add("is-new");
    if (old && !moved && old.dataset.order === fresh.dataset.order) old.replaceWith(fresh);
    else {
      old?.remove();
      insert(list, fresh);
    }
    window.htmx?.process(fresh);
    if (old?.classList.contains("is-acted")) fresh.classList.add("is-acted");
    if (focused && moved) leave(pane, fresh, next);
    else if (focused) fresh.focus({ preventScroll: true });
  } else {
    old?.remove();
  }
  count(pane, counts);
  pane.dispatchEvent(new CustomEvent("watchroom:cards", { bubbles: true }));
}

// leave rests the keyboard when the card it was on has gone to another list. No
// other card takes its place, or the next key would act on what nobody chose:
// the keys stay with the one that was acted on until j or k choose another.
function leave(pane, acted, next) {
  for (const c of $$("[data-card].is-acted, [data-card].is-next")) c.classList.remove("is-acted", "is-next");
  acted.classList.add("is-acted");
  next?.classList.add("is-next");
  pane.tabIndex = -1;
  pane.focus({ preventScroll: true });
}

function insert(list, fresh) {
  const order = Number(fresh.dataset.order);
  const before = [...list.children].find((c) => Number(c.dataset.order) < order);
  list.insertBefore(fresh, before ?? null);
  const most = list.closest('[data-list="resolved"]') ? 60 : 200; // in a storm the rest is under "All"
  while (list.children.length > most) list.lastElementChild.remove();
}

function count(pane, counts) {
  for (const list of $$("[data-list]", pane)) {
    const state = list.dataset.list;
    const shown = $("[data-cards]", list).children.length;
    const n = counts?.[state] ?? shown;
    const badge = $(`[data-count="${state}"]`, pane);
    badge.textContent = n;
    badge.dataset.n = n;
    $("[data-cards-empty]", list).hidden = shown > 0;
    if (state === "triggered") setTriggered(n);
  }
}

// setTriggered shows how many need somebody, in the navigation and the window's title.
export function setTriggered(n) {
  document.body.dataset.triggered = n;
  for (const badge of $$("[data-triggered-count]")) {
    badge.dataset.n = n;
    $("[aria-hidden]", badge).textContent = n;
    const words = $(".visually-hidden", badge);
    words.textContent = words.textContent.replace(/\d+/, n);
  }
  refreshTitle();
}

// refreshTitle counts in the window's title what waits for the reader:
// incidents and messages that call them.
export function refreshTitle() {
  const n = Number(document.body.dataset.triggered ?? 0) + Number(document.body.dataset.calls ?? 0);
  const bare = document.title.replace(/^\(\d+\) /, "");
  document.title = n > 0 ? `(${n}) ${bare}` : bare;
}
