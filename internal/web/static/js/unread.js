// What has not been read: marks beside the rooms, the line "New" in a room, the
// number in the window's title, and a notification for who is called.
import { $, $$, parse, post, recall, say, toast } from "./dom.js";
import { refreshTitle } from "./cards.js";
import { isAway } from "./presence.js";

const settle = 700; // milliseconds that the end of a room is seen until it is read

let reading = null; // of the open room

export function startUnread(timeline) {
  badges();
  if (timeline && timeline.section.hasAttribute("data-read")) reading = new Reading(timeline);
  document.addEventListener("watchroom:unread", (event) => heard(event.detail));
  document.addEventListener("watchroom:rooms", () => refetch());
}

// keepUnread makes a room unread from a message on; it stays so until the room
// is opened again.
export async function keepUnread(message) {
  const here = reading?.timeline.list.contains(message) || message.closest("[data-side-panel]") ? reading : null;
  const before = here?.kept;
  if (here) here.kept = true; // what the room counts then may be heard before the answer
  try {
    await post(`/messages/${message.dataset.seq}/unread`);
  } catch (error) {
    if (here) here.kept = before;
    throw error;
  }
  here?.keep(Number(message.dataset.seq));
}

// toFirstUnread goes to where reading stopped; false when all is read.
export const toFirstUnread = () => reading?.toFirst() ?? false;

// Reading follows how far the open room is read.
class Reading {
  constructor(timeline) {
    this.timeline = timeline;
    this.room = timeline.room;
    this.mark = Number(timeline.section.dataset.read);
    this.said = this.mark;
    this.line = this.mark; // where the line stands while the page is open
    this.waiting = null;
    this.kept = false; // as unread, by the reader
    this.bar = $("[data-first-unread]", timeline.section);
    this.count = Number(timeline.section.dataset.unread ?? 0); // when the page was made
    this.bar?.addEventListener("click", () => this.toFirst());
    timeline.addEventListener("placed", () => this.placed());
    timeline.scroller.addEventListener("scroll", () => {
      this.look();
      this.offer();
    }, { passive: true });
    document.addEventListener("visibilitychange", () => this.look());
    window.addEventListener("focus", () => this.look());
    document.addEventListener("watchroom:here", () => this.look());
    new ResizeObserver(() => this.look()).observe(timeline.scroller);
    this.placed();
    const first = $("[data-new-mark]", timeline.list);
    if (first && !location.hash) timeline.center(first);
    this.offer();
  }

  // foreign are the messages of others.
  get foreign() {
    return $$(".msg[data-seq]", this.timeline.list).filter((m) => m.dataset.by !== document.body.dataset.user);
  }

  // known reports whether the place where reading stopped is among what is shown.
  get known() {
    return this.reached || !this.timeline.older || this.timeline.first <= this.line;
  }

  placed() {
    $("[data-new-mark]", this.timeline.list)?.remove();
    const first = this.line > 0 && this.known && this.foreign.find((m) => Number(m.dataset.seq) > this.line);
    if (first) {
      const template = $("[data-new-template]", this.timeline.section);
      if (template) first.before(template.content.firstElementChild.cloneNode(true));
      first.classList.remove("is-continued");
    }
    this.look();
    this.offer();
  }

  // offer shows the way to where reading stopped while that is above.
  offer() {
    if (!this.bar) return;
    const mark = $("[data-new-mark]", this.timeline.list);
    const above = mark ? mark.getBoundingClientRect().bottom < this.timeline.scroller.getBoundingClientRect().top : !this.known;
    if (mark && !above) this.count = 0; // seen once is enough
    this.bar.hidden = !(above && this.line > 0 && this.count > 0);
    $("[data-first-unread-text]", this.bar).textContent = say(this.count === 1 ? "chat.script.first_unread.one" : "chat.script.first_unread.many", this.count > 99 ? "99+" : this.count);
  }

  // toFirst goes to where reading stopped, which may have to be fetched.
  toFirst() {
    if (this.line === 0) return false;
    const go = () => {
      const mark = $("[data-new-mark]", this.timeline.list);
      if (mark) this.timeline.center(mark);
      this.count = 0;
      this.offer();
    };
    if (this.known) {
      go();
      return true;
    }
    this.reached = true;
    this.timeline.replace({ after: this.line }).then((done) => {
      if (done) go();
      else this.reached = false;
    });
    return true;
  }

  // keep makes the room unread from a message on.
  keep(seq) {
    clearTimeout(this.waiting);
    this.waiting = null;
    this.kept = true;
    this.line = this.said = seq - 1;
    this.placed();
  }

  // seeing reports whether somebody who is there has the end of the room in view;
  // the window need not have the keyboard.
  get seeing() {
    return !this.kept && !document.hidden && !isAway() && this.timeline.present && this.timeline.atEnd && this.timeline.scroller.clientHeight > 0;
  }

  look() {
    if (!this.seeing) {
      clearTimeout(this.waiting);
      this.waiting = null;
      // What comes while nobody looks belongs below the line.
      if ((document.hidden || isAway()) && !this.kept && this.said > this.line && !$("[data-new-mark]", this.timeline.list)) this.line = this.said;
      return;
    }
    this.waiting ??= setTimeout(() => {
      this.waiting = null;
      if (this.seeing) this.read();
    }, settle);
  }

  read() {
    const last = Math.max(this.timeline.last, this.timeline.cursor); // what was said in threads, too
    if (last <= this.said) return;
    this.said = last;
    post(`/rooms/${this.room}/read`, { seq: last }).catch(() => (this.said = this.mark));
    setCount(this.room, 0, 0);
  }
}

function heard({ room, name, href, count, mentions, call }) {
  const here = reading?.timeline.room === room;
  if (here && reading.seeing && count > 0) reading.look();
  else if (!setCount(room, count, mentions)) refetch();
  if (call && count > 0) tell(call, name, href, here);
}

// setCount shows what is unread of a room; false when it is not in the list.
function setCount(room, count, mentions) {
  const link = $(`[data-room-link="${CSS.escape(room)}"]`);
  if (!link) return false;
  link.dataset.unread = count;
  link.dataset.mentions = mentions;
  link.classList.toggle("is-unread", count > 0);
  const badge = $("[data-badge]", link);
  badge.hidden = count === 0;
  $("[data-badge-count]", badge).textContent = count > 99 ? "99+" : count;
  $("[data-badge-words]", badge).textContent = mentions > 0 ? say("chat.script.mentions", mentions) : say("chat.script.unread");
  badges();
  return true;
}

// badges adds up what calls the reader, for the title and the foot of a phone.
function badges() {
  const calls = $$("[data-room-link]").reduce((n, a) => n + Number(a.dataset.mentions), 0);
  const some = $$("[data-room-link]").reduce((n, a) => n + Number(a.dataset.unread), 0);
  document.body.dataset.calls = calls;
  for (const badge of $$("[data-chat-count]")) {
    badge.dataset.n = calls || (some ? "·" : 0);
    badge.textContent = calls > 0 ? calls : some ? "•" : "";
  }
  refreshTitle();
}

let fetching = null;

// refetch gets the list of rooms again: one has come, gone or is new to it.
function refetch() {
  const place = $("[data-rooms]");
  if (!place) return;
  fetching ??= setTimeout(async () => {
    fetching = null;
    const current = $("[aria-current=page]", place)?.dataset.roomLink ?? "";
    try {
      const answer = await fetch(`/chat/rooms?room=${encodeURIComponent(current === "main" ? "" : current)}`, { headers: { "HX-Request": "true" } });
      if (!answer.ok) return;
      const focused = place.contains(document.activeElement) && document.activeElement.getAttribute("href");
      place.replaceChildren(parse(await answer.text()));
      const main = $('[data-room-link="main"]', place);
      if (current === "main") main?.setAttribute("aria-current", "page");
      if (focused) $(`[href="${CSS.escape(focused)}"]`, place)?.focus({ preventScroll: true });
      badges();
    } catch {
      // the next event tries again
    }
  }, 150);
}

const told = new Set();

// tell notifies who is called; permission was given by a click elsewhere.
function tell(call, name, href, here) {
  if (told.has(call.seq)) return;
  told.add(call.seq);
  const title = call.direct ? say("chat.script.direct", call.by) : say("chat.script.mentioned", call.by, name);
  if ((document.hidden || !document.hasFocus()) && recall("notify") === "1" && "Notification" in window && Notification.permission === "granted") {
    const note = new Notification(title, { body: call.text, tag: `message-${call.seq}` });
    note.onclick = () => {
      window.focus();
      location.href = href;
    };
  } else if (!document.hidden && !here) {
    toast("info", `${title}: ${call.text}`.slice(0, 200), { href, text: say("action.open_room") });
  }
}
