// The on-call area with a script: shifts and forms open as dialogs over the
// page, a drag across a row asks for an override, and whatever anybody changes
// shows by itself. Without it every link leads to a page that does the same.
import { $, $$, refreshParts, say, toast } from "./dom.js";

const dialog = $("#dialogue");
let dragging = null;

// open fetches what a link leads to and shows it in the dialog.
async function open(href) {
  const body = $("[data-dialogue-body]", dialog);
  dialog.classList.add("is-loading");
  try {
    const answer = await fetch(href, { headers: { Accept: "text/html", "HX-Request": "true" } });
    const text = await answer.text();
    if (!answer.ok) {
      toast("critical", answer.status === 401 ? say("signed_out") : text || say("failed"));
      if (answer.status === 404) refreshParts();
      return;
    }
    const part = new DOMParser().parseFromString(text, "text/html").querySelector("[data-dialogue-title]");
    if (!part) {
      location.href = href; // a page that is no dialog
      return;
    }
    $("#dialogue-title").textContent = part.dataset.dialogueTitle;
    body.replaceChildren(document.adoptNode(part));
    window.htmx?.process(body);
    if (!dialog.open) dialog.showModal();
    ($("[aria-invalid], select:not([name=rotation]), input:not([type=hidden]), .btn-primary", body) ?? body).focus();
  } catch {
    toast("critical", say("network"));
  } finally {
    dialog.classList.remove("is-loading");
  }
}

// here is where a form leads back to: the page as it is now.
const here = () => location.pathname + location.search;

function withBack(href) {
  const url = new URL(href, location.href);
  if (!url.searchParams.has("back")) url.searchParams.set("back", here());
  return url.pathname + url.search;
}

function onClick(event) {
  const link = event.target.closest("a[data-dialogue]");
  if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  open(withBack(link.getAttribute("href")));
}

// Another rotation has other layers: the server draws the form anew, keeping what was typed.
function onChange(event) {
  const path = event.target.dataset.reloadDialogue;
  if (path && dialog.open) {
    const typed = new FormData(event.target.form);
    const query = new URLSearchParams();
    for (const name of ["rotation", "user", "for", "back"]) if (typed.get(name)) query.set(name, typed.get(name));
    for (const [name, field] of [["at", "from"], ["until", "until"]]) {
      const seconds = instantOf(typed.get(field));
      if (seconds) query.set(name, seconds);
    }
    open(`${path}?${query}`);
  }
  if (event.target.form?.hasAttribute("data-auto-submit")) event.target.form.requestSubmit();
}

// instantOf turns the local time of a field, in the zone of the profile, into Unix seconds.
function instantOf(local) {
  const guess = Date.parse(`${local}Z`);
  if (Number.isNaN(guess)) return 0;
  const format = new Intl.DateTimeFormat("en-GB", { timeZone: document.body.dataset.zone || undefined, dateStyle: "short", timeStyle: "medium" });
  const shown = (at) => {
    const p = Object.fromEntries(format.formatToParts(at).map((x) => [x.type, Number(x.value)]));
    return Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second);
  };
  const at = guess - (shown(guess) - guess);
  return Math.round((at - (shown(at) - guess)) / 1000);
}

// step is to what a drag snaps, in seconds.
const steps = { week: 1800, fortnight: 3600, month: 6 * 3600 };

class Pick {
  constructor(track, event) {
    const calendar = track.closest("#calendar");
    this.track = track;
    this.step = steps[calendar.dataset.view] ?? 1800;
    this.from = Number(calendar.dataset.from);
    this.to = Number(calendar.dataset.to);
    this.startX = event.clientX;
    this.anchor = this.at(event.clientX);
    this.head = this.anchor;
    this.pointer = event.pointerId;
    this.box = null;
  }

  // at is the instant under the pointer, snapped.
  at(x) {
    const r = this.track.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (x - r.left) / r.width));
    return this.from + Math.round((share * (this.to - this.from)) / this.step) * this.step;
  }

  move(event) {
    if (!this.box && Math.abs(event.clientX - this.startX) < 6) return;
    if (!this.box) {
      this.box = document.createElement("div");
      this.box.className = "cal-pick";
      this.box.append(document.createElement("span"));
      this.track.append(this.box);
      document.documentElement.classList.add("is-picking");
      this.track.setPointerCapture?.(this.pointer);
    }
    this.head = this.at(event.clientX);
    const [begin, end] = this.range();
    const share = (at) => `${((at - this.from) / (this.to - this.from)) * 100}%`;
    this.box.style.left = share(begin);
    this.box.style.width = share(this.from + end - begin);
    this.box.classList.toggle("is-right", begin - this.from > (this.to - this.from) / 2);
    const words = new Intl.DateTimeFormat("en-GB", {
      timeZone: document.body.dataset.zone || undefined, weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit",
    });
    this.box.firstChild.textContent = `${words.format(begin * 1000)} – ${words.format(end * 1000)}`;
  }

  range() {
    const [begin, end] = [Math.min(this.anchor, this.head), Math.max(this.anchor, this.head)];
    return [begin, Math.max(end, begin + this.step)];
  }

  end(open) {
    this.box?.remove();
    document.documentElement.classList.remove("is-picking");
    if (!this.box || !open) return;
    // The click that follows a drag is not a click on the shift under it.
    const swallow = (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => removeEventListener("click", swallow, { capture: true }), 50);
    const [begin, end] = this.range();
    const query = new URLSearchParams({ rotation: this.track.dataset.calTrack, at: begin, until: end, back: here() });
    const lanes = $$(`[data-cal-track="${CSS.escape(this.track.dataset.calTrack)}"]`);
    if (lanes.length > 1 && Number(this.track.dataset.layer) >= 0) query.set("layer", this.track.dataset.layer);
    openPick(`/oncall/override?${query}`);
  }
}

const openPick = (href) => open(href);

// A finger scrolls; it has the button.
function onDown(event) {
  const track = event.target.closest?.("[data-can-act] [data-cal-track]");
  if (!track || event.button !== 0 || event.pointerType === "touch") return;
  dragging = new Pick(track, event);
}

function onUp(event) {
  const pick = dragging;
  dragging = null;
  pick?.end(event.type === "pointerup");
}

function onKey(event) {
  if (event.key === "Escape" && dragging) {
    dragging.end(false);
    dragging = null;
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]") || event.target.closest?.("input, select, textarea")) return;
  const link = { ArrowLeft: "[data-cal-prev]", ArrowRight: "[data-cal-next]" }[event.key];
  if (!link || !$("#calendar")) return;
  // On a shift the arrows walk through its row.
  const bar = event.target.closest?.(".bar");
  const bars = bar ? $$("a.bar", bar.closest(".cal-track")) : [];
  const next = bars[bars.indexOf(bar) + (event.key === "ArrowRight" ? 1 : -1)];
  event.preventDefault();
  if (next) next.focus();
  else if (!bar) $(link)?.click();
}

// refresh puts in what has changed and keeps the keyboard where it was.
async function refresh() {
  if (dragging) return;
  const at = document.activeElement?.closest?.("#calendar a[href], #oncall-problems a[href], #away a[href]")?.getAttribute("href");
  await refreshParts();
  if (at && !dialog.open) $(`a[href="${CSS.escape(at)}"]`)?.focus({ preventScroll: true });
}

// The kinds of entries after which the calendar may look different.
const kinds = [
  "org_changed", "shift_changed", "on_call_taken", "on_call_handed_back", "override_added", "override_removed",
  "swap_asked", "swap_answered", "absence_added", "absence_removed", "coverage_problem", "coverage_restored",
];

function follow() {
  let waiting = null;
  const news = () => {
    clearTimeout(waiting);
    waiting = setTimeout(refresh, 250);
  };
  let source;
  const connect = () => {
    source?.close();
    source = new EventSource(`/timeline/stream?${new URLSearchParams(kinds.map((k) => ["kind", k]))}`);
    source.onopen = () => {
      if ("follows" in document.body.dataset) news(); // back again: who knows what happened meanwhile
      document.body.dataset.follows = "";
    };
    source.addEventListener("entry", news);
    source.addEventListener("reset", news);
  };
  connect();
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && connect());
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    if (source.readyState === EventSource.CLOSED) connect();
    news();
  });
}

if (dialog) {
  document.addEventListener("click", onClick);
  document.addEventListener("change", onChange);
  document.addEventListener("pointerdown", onDown);
  document.addEventListener("pointermove", (event) => dragging?.move(event));
  document.addEventListener("pointerup", onUp);
  document.addEventListener("pointercancel", onUp);
  document.addEventListener("dragstart", (event) => event.target.closest?.("#calendar") && event.preventDefault());
  document.addEventListener("keydown", onKey);
  if ($("[data-refresh]")) follow();
}
