// Times as people say them, kept current. The server sends instants; the words
// are made here, in the zone of the viewer's profile or else of the browser.

let zone;
const formats = new Map();

// English texts go with days before months and a clock of 24 hours.
const language = () => (document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang || undefined);

function format(options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(language(), { timeZone: zone, hourCycle: "h23", ...options }));
  return formats.get(key);
}

const clock = { hour: "2-digit", minute: "2-digit" };
const date = { day: "numeric", month: "short" };

function relative(at, now) {
  const seconds = Math.round((at - now) / 1000);
  const words = new Intl.RelativeTimeFormat(language(), { numeric: "auto", style: "narrow" });
  const size = Math.abs(seconds);
  if (size < 5) return words.format(0, "second");
  if (size < 60) return words.format(seconds, "second");
  if (size < 3600) return words.format(Math.trunc(seconds / 60), "minute");
  if (size < 86400) return words.format(Math.trunc(seconds / 3600), "hour");
  if (size < 14 * 86400) return words.format(Math.trunc(seconds / 86400), "day");
  return say(at, "date", now);
}

function countdown(at, now) {
  const left = Math.max(0, Math.round((at - now) / 1000));
  const two = (n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

// day is the viewer's calendar day of an instant, as 2026-11-22.
export function day(at) {
  const parts = Object.fromEntries(format({ year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(at).map((p) => [p.type, p.value]));
  return `${parts.year}-${parts.month}-${parts.day}`;
}

// midnight is the instant at which a calendar day of the viewer's begins.
export function midnight(date) {
  const quarter = 15 * 60_000; // no zone is further from others by less
  let at = Date.parse(`${date}T00:00:00Z`) - 56 * quarter; // where a day begins first
  while (day(at) < date) at += quarter;
  return at;
}

export function say(at, form, now = Date.now()) {
  const otherYear = new Date(at).getFullYear() !== new Date(now).getFullYear() ? { year: "numeric" } : {};
  switch (form) {
    case "time":
      return format(clock).format(at);
    case "date":
      return format({ ...date, year: "numeric" }).format(at);
    case "day":
      return format({ weekday: "long", day: "numeric", month: "long", ...otherYear }).format(at);
    case "relative":
      return relative(at, now);
    case "countdown":
      return countdown(at, now);
    case "clock":
      if (day(at) === day(now)) return format(clock).format(at);
      if (Math.abs(at - now) < 6 * 86400e3) return format({ weekday: "short", ...clock }).format(at);
  }
  return format({ ...date, ...otherYear, ...clock }).format(at);
}

function write(element, now) {
  const at = Date.parse(element.dateTime);
  if (Number.isNaN(at)) return;
  const words = say(at, element.dataset.fmt, now);
  if (element.textContent !== words) element.textContent = words;
}

// ahead is by how many milliseconds the server's clock is ahead of this one. It
// says when something is over; what it wrote on the page is as old as the answer.
let ahead = 0;

function compareClocks() {
  const theirs = Date.parse(document.body.dataset.now);
  const answered = performance.getEntriesByType("navigation")[0]?.responseStart;
  if (theirs && answered) ahead = theirs - (performance.timeOrigin + answered);
}

// over puts words where a button was whose time has passed: it works no more.
function over(form, now) {
  if (Date.parse(form.dataset.until) > now) return;
  const gone = document.createElement("span");
  gone.className = "doc-used small";
  for (const [look, words] of [
    ["strong", form.querySelector("button")?.textContent.trim()],
    ["muted", form.dataset.over],
  ]) {
    const part = document.createElement("span");
    part.className = look;
    part.textContent = words;
    gone.append(part, " ");
  }
  form.replaceWith(gone);
}

export function startTimes() {
  const wanted = document.body.dataset.zone;
  try {
    if (wanted) new Intl.DateTimeFormat("en", { timeZone: wanted });
    zone = wanted || undefined;
  } catch {
    zone = undefined; // this browser does not know the zone
  }
  compareClocks();
  const all = (root, selector, what = write) => {
    const now = Date.now() + ahead;
    if (root.matches?.(selector)) what(root, now);
    for (const t of root.querySelectorAll(selector)) what(t, now);
  };
  const every = (root) => {
    all(root, "time[data-fmt]");
    all(root, "form[data-until]", over);
  };
  every(document);
  new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.addedNodes) if (node.nodeType === 1) every(node);
  }).observe(document.body, { childList: true, subtree: true });
  let beat = 0;
  setInterval(() => {
    if (document.hidden) return;
    all(document, 'time[data-fmt="countdown"]');
    if (beat++ % 10 !== 0) return;
    all(document, 'time[data-fmt="relative"], time[data-fmt="clock"]');
    all(document, "form[data-until]", over);
  }, 1000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) every(document);
  });
}
