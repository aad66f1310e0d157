// Who is there: the dots beside people, their local times, who is typing, and
// whether this reader has left the keyboard.
import { $, $$, post, say } from "./dom.js";

export const tab = crypto.randomUUID?.() ?? String(Math.random()).slice(2);

const idle = 5 * 60_000; // without a key or a movement
const often = 3000; // between two times of saying that somebody types

let away = false;
let touched = Date.now();

export const isAway = () => away;

export function startPresence(timeline) {
  document.addEventListener("watchroom:presence", (event) => show(event.detail.users ?? {}));
  clocks();
  setInterval(clocks, 20_000);
  new MutationObserver(clocks).observe($("[data-people]") ?? document.body, { childList: true, subtree: true });
  if (!timeline) return;
  document.addEventListener("watchroom:typing", (event) => typists(event.detail.users ?? []));
  for (const kind of ["keydown", "pointerdown", "pointermove", "wheel"]) document.addEventListener(kind, touch, { passive: true, capture: true });
  document.addEventListener("visibilitychange", () => !document.hidden && touch());
  setInterval(() => Date.now() - touched > idle && be(true), 15_000);
}

function touch() {
  touched = Date.now();
  be(false);
}

function be(gone) {
  if (gone === away) return;
  away = gone;
  post("/chat/presence", { tab, active: String(!gone) }).catch(() => {});
}

function show(users) {
  for (const dot of $$("[data-presence]")) {
    const state = users[dot.dataset.presence] ?? (dot.dataset.presence === document.body.dataset.user ? "online" : "");
    dot.className = state ? `presence presence-${state}` : "presence";
    const word = $("[data-presence-word]", dot);
    if (word) word.textContent = say(`chat.presence.${state || "offline"}`);
  }
}

// clocks shows what time it is for people in other zones.
function clocks() {
  const now = new Date();
  for (const place of $$("[data-zone-clock]")) {
    let words = "";
    try {
      words = new Intl.DateTimeFormat("en-GB", { timeZone: place.dataset.zoneClock, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(now);
    } catch {
      // a zone that this browser does not know
    }
    if (place.textContent !== words) place.textContent = words;
    if (place.title !== place.dataset.zoneClock) place.title = place.dataset.zoneClock;
  }
}

function typists(names) {
  const place = $("[data-composer]:not([data-thread]) [data-typing]");
  if (!place) return;
  const key = names.length > 2 ? "many" : names.length === 2 ? "two" : "one";
  place.textContent = names.length === 0 ? "" : say(`chat.script.typing.${key}`, ...names);
}

let said = 0;

// sayTyping tells the room that somebody is typing, now and then.
export function sayTyping(room) {
  if (Date.now() - said < often) return;
  said = Date.now();
  post(`/rooms/${room}/typing`, { tab }).catch(() => {});
}

export function stopTyping(room) {
  if (said === 0) return;
  said = 0;
  post(`/rooms/${room}/typing`, { tab, stop: "1" }).catch(() => {});
}
