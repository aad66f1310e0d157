// What can be done with a message: the tools that come to it under the pointer
// or the keyboard, reactions, editing, deleting with a way back, pins, links.
// Messages are drawn the same for everybody; what is this reader's own is
// marked here.
import { $, $$, complain, parse, post, say, showDialog, toast } from "./dom.js";
import { composerFor } from "./composer.js";
import { pick, place, used } from "./emoji.js";
import { openPanel } from "./panel.js";
import { keepUnread } from "./unread.js";

const me = () => document.body.dataset.user ?? "";
const undoFor = 5000; // milliseconds in which a deletion can be taken back
const previewBytes = 8192;

let tools; // the one toolbar

export function startChat() {
  own(document);
  new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.addedNodes) if (node.nodeType === 1) own(node);
  }).observe(document.body, { childList: true, subtree: true });
  const template = $("[data-tools-template]");
  if (template) {
    tools = template.content.firstElementChild.cloneNode(true);
    document.addEventListener("pointerover", (event) => event.pointerType !== "touch" && carry(event.target.closest?.("[data-message]")));
    document.addEventListener("focusin", (event) => carry(event.target.closest?.("[data-message]")));
  }
  document.addEventListener("click", onClick);
  document.addEventListener("submit", onSubmit);
  document.addEventListener("keydown", onKey);
  document.addEventListener("watchroom:edit-last", (event) => editLast(event.detail));
  document.addEventListener("toggle", (event) => event.target.matches?.("[data-preview]") && event.target.open && preview(event.target), true);
}

// own marks what is this reader's: their reactions, and where they are called.
function own(root) {
  const all = (selector) => [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)];
  for (const button of all(".react[data-users]")) {
    button.setAttribute("aria-pressed", String(button.dataset.users.split(" ").includes(me())));
  }
  for (const message of all("[data-mentions], [data-everybody]")) {
    const called = (message.dataset.mentions ?? "").split(" ").includes(me()) || message.hasAttribute("data-everybody");
    if (called && message.dataset.by !== me()) message.classList.add("calls-me");
  }
  const name = document.body.dataset.me;
  if (name) for (const mention of all(`.mention[href="/rooms/@${CSS.escape(name)}"]`)) mention.classList.add("mention-me");
  for (const message of all("[data-message]")) if (!message.hasAttribute("tabindex")) message.tabIndex = -1;
}

// carry puts the tools into a message.
function carry(message) {
  if (!tools || !message || tools.parentElement === message || $("[data-edit]", message)) return;
  if (tools.contains(document.activeElement) || $(".msg-more[open]", tools)) {
    if (tools.isConnected && tools.parentElement !== document.activeElement?.closest("[data-message]")) return;
  }
  if ($(".emoji-picker:popover-open")) return;
  $(".msg-more", tools).open = false;
  const mine = message.dataset.by === me() && me() !== "";
  const threaded = message.dataset.inThread || message.closest("[data-side-panel] [data-timeline], .thread-root");
  const pinned = message.hasAttribute("data-pinned");
  const may = { edit: mine && !message.matches(".by-bot, .by-robot"), delete: mine, unread: !mine, thread: !threaded, pin: !pinned, unpin: pinned };
  for (const [name, on] of Object.entries(may)) for (const b of $$(`[data-tool="${name}"]`, tools)) b.hidden = !on;
  message.append(tools);
}

function onClick(event) {
  const tool = event.target.closest("[data-tool]");
  const message = event.target.closest("[data-message]");
  if (tool && message) {
    event.preventDefault();
    use(tool.dataset.tool, message, tool);
    return;
  }
  const copy = event.target.closest(".code-copy");
  if (copy) copyCode(copy);
  const history = event.target.closest("[data-history]");
  if (history) showHistory(event, history);
  const jump = event.target.closest("[data-jump-to], [data-permalink]");
  if (jump) goTo(event, jump);
  // On a screen that is touched, a message that is touched shows its tools.
  if (message && tools && matchMedia("(hover: none)").matches && !event.target.closest("a, button, summary, input, textarea")) carry(message);
}

function onKey(event) {
  const message = event.target.closest?.("[data-seq]");
  const list = event.target.closest?.("[data-stream]");
  if (!list || event.target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("[data-tools]")) return inTools(event);
  if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
  if (message && message !== event.target) return;
  const all = $$("[data-message]", list);
  const at = message ? all.indexOf(message) : all.length;
  const next = all[at + (event.key === "ArrowUp" ? -1 : 1)];
  if (!next) return;
  event.preventDefault();
  next.focus({ preventScroll: true });
  nearest(list, next);
}

// nearest scrolls a list as far as an item of it needs to be seen.
function nearest(list, item) {
  const box = list.getBoundingClientRect();
  const at = item.getBoundingClientRect();
  if (at.top < box.top + 48) list.scrollTop -= box.top + 48 - at.top;
  else if (at.bottom > box.bottom) list.scrollTop += at.bottom - box.bottom;
}

// inTools moves between the buttons of the toolbar.
function inTools(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (event.key === "Escape" && !$(".msg-more[open]", tools)) event.target.closest("[data-message]").focus();
  if (!step) return;
  event.preventDefault();
  const all = $$(":scope > .tool:not([hidden]), .msg-more > summary", tools);
  all[(all.indexOf(event.target.closest(".tool")) + step + all.length) % all.length]?.focus();
}

function use(name, message, button) {
  const seq = message.dataset.seq;
  const menu = button.closest("details");
  if (menu) menu.open = false;
  switch (name) {
    case "react":
      return pick(button, (sign) => react(seq, sign, true));
    case "thread":
      return openPanel(`/threads/${seq}`, { write: true });
    case "quote":
      return composerFor(message)?.quote({ seq, author: message.dataset.author, text: words(message) });
    case "edit":
      return edit(message);
    case "copy":
      return copyLink(seq);
    case "pin":
    case "unpin":
      return act(`/messages/${seq}/${name}`, {}, say(`chat.script.${name}ned`));
    case "unread":
      return unread(message);
    case "incident":
      return link(message);
    case "delete":
      return remove(message);
  }
}

const words = (message) => ($("[data-text]", message)?.textContent ?? $(".msg-file, .msg-image figcaption", message)?.textContent ?? "").replace(/\s+/g, " ").trim().slice(0, 160);

async function act(address, fields, done) {
  try {
    await post(address, fields);
    if (done) toast("ok", done);
    return true;
  } catch (error) {
    complain(error);
    return false;
  }
}

async function unread(message) {
  try {
    await keepUnread(message);
    toast("ok", say("chat.script.kept"));
  } catch (error) {
    complain(error);
  }
}

function react(seq, sign, on) {
  used(sign);
  return act(`/messages/${seq}/react`, { emoji: sign, on: String(on) });
}

function onSubmit(event) {
  const form = event.target;
  if (form.matches("[data-reacts]") && event.submitter) {
    event.preventDefault();
    const message = form.closest("[data-seq]");
    const on = event.submitter.getAttribute("aria-pressed") !== "true";
    event.submitter.setAttribute("aria-pressed", String(on)); // as it will be
    react(message.dataset.seq, event.submitter.value, on);
  }
  if (form.matches("[data-press]")) {
    event.preventDefault();
    press(form);
  }
}

// press gives the command of a button, once. What is beside it stays: of a
// decision the message is drawn anew.
async function press(form) {
  const button = $("button", form);
  button.disabled = true;
  try {
    const answer = await post(form.action);
    const on = answer.headers.get("HX-Redirect"); // to the second factor, and back from there
    if (on) location.assign(on);
  } catch (error) {
    complain(error);
    button.disabled = false;
  }
}

async function copyLink(seq) {
  const address = new URL(`/messages/${seq}?go`, location.href).href;
  try {
    await navigator.clipboard.writeText(address);
  } catch {
    const area = document.createElement("textarea"); // a page without TLS is refused the clipboard
    area.value = address;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  toast("ok", say("chat.script.copied"));
}

async function copyCode(button) {
  const text = $("pre", button.closest("[data-code], .md-code"))?.textContent ?? "";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    return;
  }
  const was = button.textContent;
  button.textContent = button.dataset.copied || say("chat.copy_code");
  setTimeout(() => (button.textContent = was), 1800);
}

// edit puts the text as it was written in place of the message.
async function edit(message) {
  const body = $(".entry-body", message);
  if ($("[data-edit]", body)) return;
  let source;
  try {
    const answer = await fetch(`/messages/${message.dataset.seq}/source`, { headers: { "HX-Request": "true" } });
    if (!answer.ok) throw new Error(say("failed"));
    source = (await answer.json()).text;
  } catch (error) {
    complain(error);
    return;
  }
  const form = $("[data-edit-template]").content.firstElementChild.cloneNode(true);
  const box = $("[data-edit-text]", form);
  box.value = source;
  tools.remove();
  body.append(form);
  message.classList.add("is-editing");
  box.focus();
  box.setSelectionRange(source.length, source.length);
  const list = message.closest("[data-stream]");
  if (list) nearest(list, form);
  const close = () => {
    const now = form.closest("[data-message]") ?? message; // it may have been drawn anew
    form.remove();
    now.classList.remove("is-editing");
    (composerFor(now)?.box ?? now).focus();
  };
  box.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
    }
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  $("[data-edit-cancel]", form).addEventListener("click", close);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopPropagation();
    const text = box.value.trim();
    if (!text) return remove(message, close);
    if (text === source.trim() || (await act(`/messages/${message.dataset.seq}/edit`, { text }))) close();
  });
}

function editLast(timeline) {
  const mine = $$(`[data-message][data-by="${CSS.escape(me())}"]:not(.by-bot)`, timeline.list);
  if (mine.length > 0) edit(mine[mine.length - 1]);
  else toast("info", say("chat.script.nothing"));
}

// remove hides a message and deletes it when nobody has taken that back in time.
function remove(message, after) {
  after?.();
  const seq = message.dataset.seq;
  message.classList.add("is-leaving");
  tools.remove();
  let timer;
  const send = (options) => {
    clearTimeout(timer);
    removeEventListener("pagehide", leave);
    return post(`/messages/${seq}/delete`, {}, options).catch((error) => {
      message.classList.remove("is-leaving");
      complain(error);
    });
  };
  const leave = () => send({ keepalive: true });
  const close = toast("ok", say("chat.script.deleted"), {
    text: say("chat.script.undo"),
    act: () => {
      clearTimeout(timer);
      removeEventListener("pagehide", leave);
      $(`[data-seq="${seq}"].is-leaving`)?.classList.remove("is-leaving");
    },
  });
  timer = setTimeout(() => {
    close();
    send();
  }, undoFor);
  addEventListener("pagehide", leave);
}

function link(message) {
  const dialog = $("#link-incident");
  if (!dialog) return;
  const form = $("form[data-link]", dialog);
  form.dataset.seq = message.dataset.seq;
  form.reset();
  showDialog(dialog);
  form.onsubmit = async (event) => {
    event.preventDefault();
    const number = new FormData(form).get("incident").replace("#", "").trim();
    if (await act(`/messages/${form.dataset.seq}/link`, { incident: number }, say("chat.script.linked", number))) dialog.close();
  };
}

// showHistory opens what a message said before beside the word "edited".
async function showHistory(event, anchor) {
  event.preventDefault();
  const box = $("#history") ?? historyBox();
  try {
    const answer = await fetch(`/messages/${anchor.dataset.history}/history`, { headers: { "HX-Request": "true" } });
    if (!answer.ok) throw new Error(say("failed"));
    box.replaceChildren(parse(await answer.text()));
  } catch (error) {
    complain(error);
    return;
  }
  box.showPopover();
  place(box, anchor);
  box.focus();
}

function historyBox() {
  const box = document.createElement("div");
  box.id = "history";
  box.className = "history-pop";
  box.popover = "auto";
  box.tabIndex = -1;
  box.setAttribute("role", "dialog");
  box.setAttribute("aria-label", $("[data-tools-template]")?.dataset.historyLabel ?? "");
  document.body.append(box);
  return box;
}

// goTo stays on the page when the message is here already.
function goTo(event, anchor) {
  const seq = anchor.dataset.jumpTo;
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const place = seq && document.querySelector(`[data-entries] [data-seq="${seq}"]`);
  if (seq && !place) anchor.href = `/messages/${seq}?go`;
  if (!seq && anchor.closest("[data-message]")) {
    event.preventDefault();
    copyLink(anchor.closest("[data-message]").dataset.seq);
  }
  if (!place) return;
  event.preventDefault();
  for (const other of $$(".is-found")) other.classList.remove("is-found");
  place.classList.add("is-found");
  document.dispatchEvent(new CustomEvent("watchroom:center", { detail: place }));
}

// preview fetches the beginning of a text when somebody opens it.
async function preview(details) {
  const place = $("[data-preview-text]", details);
  if (place.textContent) return;
  try {
    const answer = await fetch(details.dataset.preview, { headers: { Range: `bytes=0-${previewBytes - 1}` } });
    if (!answer.ok) throw new Error(String(answer.status));
    const reader = answer.body.getReader(); // who knows no ranges sends it all
    const parts = [];
    let size = 0;
    while (size < previewBytes) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      size += value.length;
    }
    reader.cancel();
    const text = new TextDecoder().decode(await new Blob(parts).arrayBuffer());
    place.textContent = text.slice(0, previewBytes) + (size >= previewBytes ? `\n… ${say("chat.script.preview.more")}` : "");
  } catch {
    place.textContent = say("chat.script.preview.failed");
  }
}

