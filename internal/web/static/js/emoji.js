// Emoji: the picker, and names for the completion. The list comes from the
// server once, when it is first needed.
import { $, recall, remember, say } from "./dom.js";

const first = ["👍", "👀", "✅", "🎉", "❤️", "😂", "🙏", "🔥", "🚀", "😢", "😮", "💯"];
const most = 24; // remembered

let list = null;
let loading = null;
let take = null; // what is done with the chosen one
let anchor = null; // what the picker stands beside

export async function allEmoji() {
  loading ??= (async () => {
    const answer = await fetch("/chat/emoji");
    if (!answer.ok) throw new Error(String(answer.status));
    list = await answer.json();
  })().catch(() => (loading = null));
  await loading;
  return list ?? [];
}

export const recent = () => [...new Set([...JSON.parse(recall("emoji") ?? "[]"), ...first])].slice(0, most);

export function used(sign) {
  remember("emoji", JSON.stringify([sign, ...recent().filter((r) => r !== sign)].slice(0, most)));
}

export function startEmoji() {
  const picker = $("[data-emoji-picker]");
  if (!picker) return;
  const search = $("[data-emoji-search]", picker);
  const grid = $("[data-emoji-grid]", picker);
  search.addEventListener("input", () => fill(picker));
  window.addEventListener("resize", () => picker.matches(":popover-open") && anchor && place(picker, anchor));
  picker.addEventListener("click", (event) => {
    const button = event.target.closest("[data-sign]");
    if (button) choose(picker, button.dataset.sign);
  });
  picker.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target === search) {
      event.preventDefault();
      const one = $("[data-sign]", grid);
      if (one) choose(picker, one.dataset.sign);
    }
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(grid), ArrowUp: -columns(grid) }[event.key];
    if (!step || (event.target === search && event.key !== "ArrowDown")) return;
    event.preventDefault();
    const all = [...grid.querySelectorAll("[data-sign]")];
    const at = all.indexOf(document.activeElement);
    if (at >= 0 && at + step < 0) search.focus();
    else all[Math.min(all.length - 1, at < 0 ? 0 : at + step)]?.focus();
  });
}

function columns(grid) {
  const all = [...grid.children];
  const top = all[0]?.offsetTop;
  return Math.max(1, all.filter((b) => b.offsetTop === top).length);
}

function choose(picker, sign) {
  used(sign);
  const done = take;
  picker.hidePopover();
  done?.(sign);
}

// pick opens the picker beside an element; done gets the sign.
export async function pick(beside, done) {
  const picker = $("[data-emoji-picker]");
  if (!picker?.showPopover) return;
  take = done;
  anchor = beside;
  picker.showPopover();
  const search = $("[data-emoji-search]", picker);
  search.value = "";
  place(picker, beside);
  search.focus();
  await fill(picker);
  place(picker, beside);
  picker.addEventListener("toggle", (event) => {
    if (event.newState === "closed" && (document.activeElement === document.body || picker.contains(document.activeElement))) beside.focus?.({ preventScroll: true });
  }, { once: true });
}

// place puts the picker where there is room for it. Positions are set through
// the object model, which the policy against inline styles allows.
export function place(box, beside) {
  if (box.matches(".emoji-picker") && matchMedia("(max-width: 47.99rem)").matches) {
    for (const side of ["left", "top", "right", "bottom"]) box.style.removeProperty(side);
    return;
  }
  const at = beside.getBoundingClientRect();
  const { width, height } = box.getBoundingClientRect();
  const left = Math.min(Math.max(8, at.left), innerWidth - width - 8);
  const above = at.top - height - 6;
  box.style.left = `${left}px`;
  box.style.top = `${above > 8 ? above : Math.min(at.bottom + 6, innerHeight - height - 8)}px`;
}

async function fill(picker) {
  const wanted = $("[data-emoji-search]", picker).value.trim().toLowerCase().replace(/:/g, "");
  const grid = $("[data-emoji-grid]", picker);
  const all = await allEmoji();
  const names = new Map(all.map((e) => [e.c, e.n]));
  const found = wanted
    ? all.filter((e) => e.n.includes(wanted)).sort((a, b) => b.n.startsWith(wanted) - a.n.startsWith(wanted)).slice(0, 120)
    : [...recent().map((c) => ({ c, n: names.get(c) ?? "" })), ...all.slice(0, 240)];
  grid.replaceChildren(...found.map((e) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "emoji-one";
    button.dataset.sign = e.c;
    button.title = e.n && `:${e.n}:`;
    button.setAttribute("aria-label", say("chat.script.react", e.n || e.c));
    button.textContent = e.c;
    return button;
  }));
  $("[data-emoji-none]", picker).hidden = found.length > 0;
}
