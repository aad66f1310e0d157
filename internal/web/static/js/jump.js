// Ctrl+K: a few letters of a room or a person lead there.
import { $, say } from "./dom.js";

const most = 12;

let targets = [];
let found = [];
let at = 0;

export function startJump() {
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-jump-open]")) openJump();
  });
  const dialog = $("[data-jump-dialog]");
  const box = dialog && $("[data-jump-text]", dialog);
  box?.addEventListener("input", () => show(dialog));
  box?.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      event.preventDefault();
      at = (at + step + found.length) % found.length;
      mark(dialog);
    }
    if (event.key === "Enter" && found[at]) {
      event.preventDefault();
      location.href = found[at].href;
    }
  });
}

export async function openJump() {
  const dialog = $("[data-jump-dialog]");
  if (!dialog || dialog.open || !document.body.dataset.user) return;
  const box = $("[data-jump-text]", dialog);
  box.value = "";
  dialog.showModal();
  box.focus();
  try {
    const answer = await fetch("/chat/jump", { headers: { "HX-Request": "true" } });
    if (answer.ok) targets = await answer.json();
  } catch {
    // what was known before still leads somewhere
  }
  show(dialog);
}

// rank is how well a target fits: its beginning, a word's beginning, inside.
function rank(target, wanted) {
  const name = target.name.toLowerCase();
  const hint = (target.hint ?? "").toLowerCase();
  if (name.startsWith(wanted) || hint.startsWith(`@${wanted}`)) return 0;
  if (name.split(/[\s-]+/).some((w) => w.startsWith(wanted))) return 1;
  if (name.includes(wanted)) return 2;
  return hint.includes(wanted) ? 3 : -1;
}

function show(dialog) {
  const wanted = $("[data-jump-text]", dialog).value.trim().toLowerCase().replace(/^[#@]/, "");
  const unread = new Map([...document.querySelectorAll("[data-room-link]")].map((a) => [a.getAttribute("href"), Number(a.dataset.unread)]));
  found = targets
    .map((t) => ({ ...t, rank: wanted ? rank(t, wanted) : 0, unread: unread.get(t.href) ?? 0 }))
    .filter((t) => t.rank >= 0)
    .sort((a, b) => a.rank - b.rank || b.unread - a.unread)
    .slice(0, most);
  at = 0;
  $("[data-jump-list]", dialog).replaceChildren(...found.map(line));
  $("[data-jump-none]", dialog).hidden = found.length > 0;
  mark(dialog);
}

const signs = { public: "#", private: "#", main: "≡", person: "@", bot: "@", group: "@" };

function line(target, i) {
  const item = document.createElement("li");
  item.id = `jump-${i}`;
  item.setAttribute("role", "option");
  item.className = "jump-item";
  const sign = document.createElement("span");
  sign.className = `jump-sign ${target.state ? `is-${target.state}` : ""}`;
  sign.textContent = signs[target.kind] ?? "#";
  sign.setAttribute("aria-hidden", "true");
  const name = document.createElement("span");
  name.className = "strong";
  name.textContent = target.name;
  const hint = document.createElement("span");
  hint.className = "muted small truncate grow";
  hint.textContent = target.hint ?? "";
  item.append(sign, name, hint);
  if (target.unread > 0) {
    const badge = document.createElement("span");
    badge.className = "room-badge num";
    badge.textContent = target.unread > 99 ? "99+" : target.unread;
    badge.title = say("chat.script.unread");
    item.append(badge);
  }
  item.addEventListener("click", () => (location.href = target.href));
  return item;
}

function mark(dialog) {
  const list = $("[data-jump-list]", dialog);
  for (const [i, item] of [...list.children].entries()) item.setAttribute("aria-selected", String(i === at));
  const box = $("[data-jump-text]", dialog);
  const one = list.children[at];
  if (one) box.setAttribute("aria-activedescendant", one.id);
  else box.removeAttribute("aria-activedescendant");
  one?.scrollIntoView({ block: "nearest" });
}
