// What stands beside a conversation: a thread, the members, pins and files of a
// room. Each has an address of its own; a link with data-panel opens it without
// leaving the page.
import { $, $$, complain, parse, say } from "./dom.js";
import { composerFor, makeComposer } from "./composer.js";
import { makeTimeline } from "./timeline.js";

let back; // where closing leads
let main; // the timeline beside which it stands
let thread = null; // the timeline in the panel

export function startPanel(timeline) {
  const panel = $("[data-side-panel]");
  if (!panel) return;
  main = timeline;
  back = panel.hidden ? location.href : $("[data-panel-close]", panel)?.href;
  wire(panel);
  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
    const close = event.target.closest("[data-panel-close]");
    const open = event.target.closest("a[data-panel]");
    if (close || open) event.preventDefault();
    if (close) closePanel();
    else if (open) openPanel(open.getAttribute("href"));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented && panel.contains(event.target) && !event.target.matches("textarea, input")) closePanel();
  });
  window.addEventListener("popstate", () => location.reload());
  document.addEventListener("watchroom:reply", (event) => {
    if (thread && event.detail.thread === thread.thread) thread.live(event.detail);
  });
  document.addEventListener("watchroom:message", (event) => changed(event.detail));
}

// changed puts a message that was changed wherever it is shown.
function changed({ seq, html }) {
  main?.swap(seq, html);
  thread?.swap(seq, html);
  for (const old of $$(`.thread-root [data-seq="${Number(seq)}"], .panel-pins [data-seq="${Number(seq)}"]`)) {
    const fresh = parse(html).querySelector("[data-seq]");
    if (!fresh) continue;
    fresh.id = old.id; // the one in the room has the other
    if (old.closest(".thread-root")) $(".thread-foot", fresh)?.remove();
    if (old.closest(".panel-pins") && !fresh.hasAttribute("data-pinned")) old.remove();
    else old.replaceWith(fresh);
  }
}

// openPanel shows what an address leads to beside the conversation.
export async function openPanel(href, { write = false } = {}) {
  const panel = $("[data-side-panel]");
  if (!panel) {
    location.href = href;
    return;
  }
  try {
    const answer = await fetch(href, { headers: { Accept: "text/html", "HX-Request": "true" } });
    const kind = answer.headers.get("Content-Type") ?? "";
    if (!answer.ok) throw new Error(kind.startsWith("text/plain") ? await answer.text() : say("failed"));
    panel.replaceChildren(parse(await answer.text()));
  } catch (error) {
    complain(error);
    return;
  }
  panel.hidden = false;
  $("[data-home]")?.setAttribute("data-side", "");
  history.pushState(null, "", href);
  wire(panel);
  const box = $("[data-composer-text]", panel);
  if (write && box) box.focus();
  else ($("[data-panel-close]", panel) ?? panel).focus();
}

export function closePanel() {
  const panel = $("[data-side-panel]");
  if (panel.hidden) return;
  panel.hidden = true;
  panel.replaceChildren();
  thread = null;
  $("[data-home]")?.removeAttribute("data-side");
  history.pushState(null, "", back);
  composerFor(main?.section)?.box.focus();
}

// wire makes what was put into the panel work.
function wire(panel) {
  thread = null;
  const section = $("[data-timeline][data-thread]", panel);
  if (!section) return;
  thread = makeTimeline(section);
  const form = $("[data-composer]", section);
  if (form) makeComposer(form, thread);
}
