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
  document.addEventListener("watchroom:typing", (event) => {
    typing = event.detail;
    showTyping();
  });
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
  if (!away) document.dispatchEvent(new Event("watchroom:here"));
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

let typing = {}; // who is, in the open room and its threads, as told last

// showTyping says at each box to write in who else is typing there.
export function showTyping() {
  for (const form of $$("[data-composer]")) {
    const names = [...((form.dataset.thread ? typing.threads?.[form.dataset.thread] : typing.users) ?? [])];
    const key = names.length > 2 ? "many" : names.length === 2 ? "two" : "one";
    const words = names.length === 0 ? "" : say(`chat.script.typing.${key}`, ...names);
    const place = $("[data-typing]", form);
    if (place.textContent !== words) place.textContent = words;
  }
}

let said = { at: 0, in: "" };

// sayTyping tells the room or the thread that somebody is typing, now and then.
export function sayTyping(room, thread) {
  const now = { at: Date.now(), in: `${room} ${thread}` };
  if (now.in === said.in && now.at - said.at < often) return;
  said = now;
  post(`/rooms/${room}/typing`, { tab, thread }).catch(() => {});
}

export function stopTyping(room, thread) {
  if (said.in !== `${room} ${thread}`) return;
  said = { at: 0, in: "" };
  post(`/rooms/${room}/typing`, { tab, thread, stop: "1" }).catch(() => {});
}
