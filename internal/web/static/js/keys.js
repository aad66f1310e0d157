// The keyboard: one hand on it is enough for a night. Keys rest while somebody types.
import { $, $$ } from "./dom.js";
import { act, clearTicks } from "./actions.js";
import { openJump } from "./jump.js";
import { complain } from "./dom.js";
import { showPane } from "./panes.js";
import { keepUnread, toFirstUnread } from "./unread.js";

const places = { t: "/", i: "/incidents", o: "/oncall", s: "/settings" };

const typing = (element) => element.matches?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");

export function startKeys(timeline) {
  let going = 0; // when "g" was pressed
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openJump();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.isComposing) return;
    if (event.key === "Escape") return escape(event);
    if (typing(event.target) || $("dialog[open], .emoji-picker:popover-open")) return;
    if (Date.now() - going < 1200 && places[event.key]) {
      going = 0;
      event.preventDefault();
      location.href = places[event.key];
      return;
    }
    going = event.key === "g" ? Date.now() : 0;
    if (press(event.key, event.target, timeline)) event.preventDefault();
  });
}

// press does what a key means; false leaves the key to the browser.
function press(key, target, timeline) {
  switch (key) {
    case "a":
      return on("ack");
    case "r":
      return on("resolve");
    case "j":
      return move(1);
    case "k":
      return move(-1);
    case "ArrowDown":
    case "ArrowUp":
      return target.closest?.("[data-cards]") ? move(key === "ArrowDown" ? 1 : -1) : false;
    case "Enter":
      return target.matches?.("[data-card]") ? follow(target) : false;
    case "x":
      return tick();
    case "/":
      return focus($("[data-search]"));
    case "n":
      if ($("[data-home]")?.querySelector(".pane-timeline")?.clientHeight === 0) showPane("timeline");
      return focus($("[data-composer-text]"));
    case ".":
      timeline?.toPresent();
      return Boolean(timeline);
    case "u":
      return unread(target.closest?.("[data-message]"));
    case "?":
      $("#help")?.showModal();
      return true;
  }
  return false;
}

// unread makes the room unread from the message on that has the keyboard; when
// none has, it goes to where reading stopped.
function unread(message) {
  if (!message) return toFirstUnread();
  if (message.dataset.by !== document.body.dataset.user) keepUnread(message).catch(complain);
  return true;
}

const cards = () => $$("[data-list]:not([hidden]) [data-card], tr[data-card]");
const selected = () => document.activeElement?.closest("[data-card]") ?? $("[data-card].is-current");

// on acts on the open incident, on the selected card, on the one that was acted
// on last, or acknowledges the only one there is. Resolving is final: it wants a choice.
function on(action) {
  const room = $("[data-room]");
  if (room) return act(room, action);
  const only = action === "ack" && cards().length === 1 ? cards()[0] : null;
  const card = selected() ?? $("[data-card].is-acted") ?? only;
  return card ? act(card, action) : false;
}

function move(by) {
  const all = cards();
  if (all.length === 0) return false;
  const at = place(all, by);
  const next = all[Math.min(all.length - 1, Math.max(0, at))];
  for (const c of $$("[data-card].is-current, [data-card].is-acted, [data-card].is-next")) {
    c.classList.remove("is-current", "is-acted", "is-next");
  }
  next.classList.add("is-current");
  if (!next.hasAttribute("tabindex")) next.tabIndex = -1;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
  return true;
}

// place is where a step leads: from the selected card, or from the gap that one has left.
function place(all, by) {
  const at = all.indexOf(selected());
  if (at >= 0) return at + by;
  const gap = all.findIndex((c) => c.classList.contains("is-next"));
  return gap < 0 ? 0 : by > 0 ? gap : gap - 1;
}

function follow(card) {
  $("a[href]", card)?.click();
  return true;
}

function tick() {
  const box = $("[data-tick]", selected() ?? document.createElement("i"));
  box?.click();
  return Boolean(box);
}

function focus(element) {
  element?.focus();
  element?.select?.();
  return Boolean(element);
}

function escape(event) {
  if ($("dialog[open], :popover-open, details[data-menu][open]")) return;
  if (typing(event.target)) event.target.blur();
  else if (!clearTicks()) for (const c of $$("[data-card].is-current")) c.classList.remove("is-current");
}
