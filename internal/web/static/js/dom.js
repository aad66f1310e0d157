// Small tools everybody uses.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

let texts;

// say reads a text of the catalogue that the page carries; each %s takes the next argument.
export function say(key, ...args) {
  texts ??= JSON.parse($("#texts")?.textContent || "{}");
  return (texts[key] ?? key).replace(/%s/g, () => args.shift() ?? "");
}

// parse turns the server's HTML into a fragment.
export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

// remember and recall keep a choice in this browser; storage may be forbidden.
export function remember(key, value) {
  try {
    if (value === null) localStorage.removeItem(`watchroom.${key}`);
    else localStorage.setItem(`watchroom.${key}`, value);
  } catch {
    // the choice lasts as long as the page
  }
}

export function recall(key) {
  try {
    return localStorage.getItem(`watchroom.${key}`);
  } catch {
    return null;
  }
}

const toneIcons = {
  ok: "M8.3 12.3l2.6 2.6 4.9-5.3",
  warning: "M12 8v5M12 16.2h.01",
  critical: "M12 8v5M12 16.2h.01",
  info: "M12 11.2V16M12 8h.01",
};

function icon(tone) {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const ring = document.createElementNS(ns, "circle");
  ring.setAttribute("cx", "12");
  ring.setAttribute("cy", "12");
  ring.setAttribute("r", "8.5");
  const path = document.createElementNS(ns, "path");
  path.setAttribute("d", toneIcons[tone] ?? toneIcons.info);
  svg.append(ring, path);
  return svg;
}

// toast says something in passing. Bad news stays longer; a link may follow the
// text, or a button when link.act says what it does. It returns how to take the
// toast away.
export function toast(tone, text, link) {
  const place = $("[data-toasts]");
  if (!place) return () => {};
  const box = document.createElement("div");
  box.className = `toast tone-${tone}`;
  const words = document.createElement("div");
  words.textContent = text;
  if (link) {
    const a = document.createElement(link.act ? "button" : "a");
    if (link.act) {
      a.type = "button";
      a.className = "toast-act";
      a.addEventListener("click", () => {
        box.remove();
        link.act();
      });
    } else a.href = link.href;
    a.textContent = link.text;
    words.append(" ", a);
  }
  box.append(icon(tone), words);
  place.append(box);
  while (place.children.length > 4) place.firstElementChild.remove();
  fade(box, tone);
  return () => box.remove();
}

// post sends a form in the background; it throws what the server says, or the
// reason why nobody answered.
export async function post(address, fields = {}, options = {}) {
  const body = fields instanceof URLSearchParams ? fields : new URLSearchParams(fields);
  let answer;
  try {
    answer = await fetch(address, { method: "POST", body, headers: { Accept: "text/html", "HX-Request": "true" }, ...options });
  } catch {
    throw new Error(say("network"));
  }
  if (answer.status === 401 || (answer.redirected && new URL(answer.url).pathname === "/login")) throw new Error(say("signed_out"));
  if (answer.ok) return answer;
  const text = (await answer.text().catch(() => "")).trim();
  const plain = (answer.headers.get("Content-Type") ?? "").startsWith("text/plain");
  const error = new Error(plain && text && text.length < 400 ? text : say(answer.status === 403 ? "forbidden" : "failed"));
  error.status = answer.status;
  throw error;
}

// complain says in a toast why something did not work.
export const complain = (error) => toast("critical", error.message);

// fade takes a toast away after a while, but not under somebody's pointer.
export function fade(box, tone) {
  const leave = () => (box.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : box.remove());
  setTimeout(leave, tone === "critical" || tone === "warning" ? 9000 : 4500);
}

// showDialog opens a dialog with the keyboard in its first field, where it has one.
export function showDialog(dialog) {
  dialog.showModal();
  $(".dialog-body :is(input:not([type=hidden]), select, textarea)", dialog)?.focus();
}

// refreshParts fetches this page again and puts in what is marked data-refresh.
let refreshing = null;
export function refreshParts() {
  refreshing ??= (async () => {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const old of $$("[data-refresh][id]")) {
        const next = fresh.getElementById(old.id);
        if (!next || $(":popover-open", old)) continue;
        keepOpen(old, next);
        const focused = old.contains(document.activeElement);
        old.replaceWith(next);
        window.htmx?.process(next);
        if (focused) $("a, button", next)?.focus({ preventScroll: true });
      }
    } catch {
      // the connection banner already says that there is none
    } finally {
      refreshing = null;
    }
  })();
  return refreshing;
}

// keepOpen carries over which details the reader has opened; they are matched by their summary's text.
function keepOpen(old, next) {
  const open = new Set($$("details[open] > summary", old).map((s) => s.textContent));
  for (const summary of $$("details > summary", next)) {
    if (open.has(summary.textContent)) summary.parentElement.open = true;
  }
}
