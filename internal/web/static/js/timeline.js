// The stream of entries. What is shown is always one unbroken piece of the
// timeline, oldest first. At the present, live entries are appended; after a
// jump into the past they wait until the reader comes back.
import { $, $$, parse, say } from "./dom.js";
import { day, midnight, say as sayTime } from "./time.js";

const limit = 50; // entries asked for at once
const most = 1000; // entries kept in the page
const together = 5 * 60_000; // between two messages of which the second needs no name
const breath = 1500; // milliseconds in which what arrives is read out together
const near = 90; // pixels from the end that still count as the end

class Timeline extends EventTarget {
  constructor(section) {
    super();
    this.section = section;
    this.scroller = $("[data-stream]", section);
    this.list = $("[data-entries]", section);
    this.pill = $("[data-present]", section);
    this.incident = section.dataset.incident ?? "";
    this.room = section.dataset.chatRoom ?? "main";
    this.thread = Number(section.dataset.thread ?? 0);
    this.cursor = Number(section.dataset.head); // the newest number heard of, shown or not
    this.epoch = section.dataset.epoch; // of which history the numbers are: a restored backup begins another
    this.older = section.dataset.older === "true";
    this.present = section.dataset.newer !== "true";
    this.held = new Map(); // live entries that arrived while the reader is in the past
    this.unread = 0;
    this.heard = []; // entries that are not read out yet
    this.loading = null;
    this.turn = 0; // answers to an earlier filter or jump are dropped
    this.move = 0; // the last way that was asked for: an earlier one stops where it is
    this.watch();
    const found = location.hash ? this.list.querySelector(`[id="${CSS.escape(location.hash.slice(1))}"]`) : null;
    if (found) {
      found.classList.add("is-found");
      this.center(found);
    } else if (this.present) this.toEnd();
  }

  get items() {
    return this.list.querySelectorAll("[data-seq]");
  }
  get first() {
    return Number(this.list.querySelector("[data-seq]")?.dataset.seq ?? 0);
  }
  get last() {
    const all = this.items;
    return Number(all[all.length - 1]?.dataset.seq ?? 0);
  }
  get atEnd() {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < near;
  }

  watch() {
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    document.addEventListener("watchroom:center", (event) => this.list.contains(event.detail) && this.center(event.detail));
    this.pill.addEventListener("click", () => this.toPresent());
    this.section.addEventListener("click", (event) => {
      const edge = event.target.closest("[data-load]");
      if (!edge) return;
      event.preventDefault();
      this.load(edge.dataset.load);
    });
    this.sight = new IntersectionObserver((seen) => {
      for (const s of seen) if (s.isIntersecting) this.load(s.target.dataset.edge);
    }, { root: this.scroller, rootMargin: "600px 0px" });
    this.lookAgain();
    // A pane that was hidden has no height; go to the end when it is shown.
    let shown = this.scroller.clientHeight > 0;
    new ResizeObserver(() => {
      const now = this.scroller.clientHeight > 0;
      if (now && (!shown || this.stuck) && this.present) this.toEnd();
      shown = now;
    }).observe(this.scroller);
    this.stuck = true;
    const filters = $("[data-filters]", this.section);
    if (!filters) return;
    let wait;
    filters.addEventListener("submit", (event) => {
      event.preventDefault();
      this.filter();
    });
    filters.addEventListener("input", (event) => {
      clearTimeout(wait);
      wait = setTimeout(() => this.filter(event.target), event.target.matches("[type=search], [name=incident]") ? 350 : 0);
    });
    $("[data-clear-filters]", filters)?.addEventListener("click", (event) => {
      event.preventDefault();
      for (const box of $$("[type=checkbox]", filters)) box.checked = false;
      for (const field of $$("input:not([type=checkbox]), select", filters)) field.value = "";
      this.filter();
    });
  }

  // lookAgain asks anew which edges are near: the observer tells changes only,
  // and an edge that is still near after a load has not changed.
  lookAgain() {
    for (const edge of $$("[data-edge]", this.section)) {
      this.sight.unobserve(edge);
      this.sight.observe(edge);
    }
  }

  // query is what narrows the timeline, without a position.
  query() {
    const out = new URLSearchParams();
    if (this.incident) out.set("incident", this.incident);
    if (this.room !== "main") out.set("room", this.room);
    if (this.thread) out.set("thread", this.thread);
    const filters = $("[data-filters]", this.section);
    if (!filters) return out;
    for (const [name, value] of new FormData(filters)) {
      if (value && name !== "at") out.append(name, name === "incident" ? value.replace("#", "") : value);
    }
    return out;
  }

  async fetch(position) {
    const query = this.query();
    query.set("limit", limit);
    for (const [name, value] of Object.entries(position)) query.set(name, value);
    const answer = await fetch(`/timeline/entries?${query}`, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) throw new Error(`timeline entries: ${answer.status}`);
    return {
      older: answer.headers.get("Watchroom-Older") === "true",
      newer: answer.headers.get("Watchroom-Newer") === "true",
      items: [...parse(await answer.text()).querySelectorAll("[data-seq]")],
    };
  }

  // load fetches the neighbours in one direction when there are any.
  load(edge) {
    if (this.section.hasAttribute("aria-busy")) return null; // what is shown is about to go; its neighbours do not belong to what comes
    if (edge === "older" && (!this.older || !this.first)) return null;
    if (edge === "newer" && (this.present || !this.last)) return null;
    const turn = this.turn;
    this.loading ??= (async () => {
      try {
        const part = await this.fetch(edge === "older" ? { before: this.first } : { after: this.last });
        if (turn !== this.turn) return;
        if (edge === "older") {
          this.older = part.older;
          this.holdStill(() => this.place(part.items));
        } else {
          this.place(part.items);
          if (!part.newer) this.arrive();
          this.trim("older");
        }
        this.edges();
        this.lookAgain();
      } catch {
        // the link at the edge is still there to be pressed
      } finally {
        this.loading = null;
      }
    })();
    return this.loading;
  }

  // replace shows another piece of the timeline.
  async replace(position) {
    const turn = ++this.turn;
    this.loading = null;
    this.section.setAttribute("aria-busy", "true");
    try {
      const part = await this.fetch(position);
      if (turn !== this.turn) return false;
      this.list.replaceChildren();
      this.older = part.older;
      this.present = !part.newer;
      this.place(part.items);
      if (this.present) this.arrive();
      this.edges();
      this.lookAgain();
      return true;
    } catch {
      return false;
    } finally {
      if (turn === this.turn) this.section.removeAttribute("aria-busy");
    }
  }

  async toPresent() {
    if (!this.present && !(await this.replace({}))) return;
    this.toEnd();
    this.read();
    const at = $("[data-jump]", this.section);
    if (at) at.value = "";
  }

  async jump(at) {
    if (!(await this.replace({ at }))) return;
    this.scroller.scrollTop = 0;
    if (this.present && this.scroller.scrollHeight <= this.scroller.clientHeight) this.toEnd();
  }

  async filter(field) {
    if (field?.matches("[data-jump]") && field.value) {
      await this.jump(new Date(midnight(field.value)).toISOString());
      return;
    }
    this.held.clear();
    const query = this.query();
    const clear = $("[data-clear-filters]", this.section);
    if (clear) clear.hidden = query.size === 0;
    const address = new URL(location.pathname, location.href);
    address.search = query;
    history.replaceState(null, "", address);
    // The stream is narrowed first: what arrives while the page is fetched is then held or deduplicated by number.
    this.dispatchEvent(new Event("filter"));
    if (!(await this.replace({}))) return;
    this.toEnd();
    this.read();
  }

  // live takes an entry from the stream. Entries come in order, but may come twice.
  live({ seq, html }) {
    const number = Number(seq);
    if (this.has(number)) return;
    if (!this.present || this.section.hasAttribute("aria-busy")) {
      this.held.set(number, html);
      // What is older than the next fetch will come with it; only the newest must be kept.
      if (this.held.size > 500) this.held.delete(this.held.keys().next().value);
      this.announceUnread();
      return;
    }
    const follow = this.atEnd;
    const items = [...parse(html).querySelectorAll("[data-seq]")];
    for (const item of items) item.classList.add("entry-new");
    this.place(items);
    this.announce(items[0]);
    if (follow) {
      this.trim("older");
      this.toEnd();
    } else this.announceUnread();
  }

  // announce reads out what is new, to those who listen. In a storm it says how
  // much there is, and one's own lines it leaves out.
  announce(item) {
    const voice = $("[data-announce]", this.section);
    if (!voice || !item || item.dataset.by === document.body.dataset.user) return;
    this.heard.push(($(".entry-line, .entry-body", item)?.textContent ?? "").replace(/\s+/g, " ").trim().slice(0, 200));
    this.speaking ??= setTimeout(() => {
      voice.textContent = this.heard.length > 2 ? say("new_many", this.heard.length) : this.heard.join(". ");
      this.heard = [];
      this.speaking = null;
    }, breath);
  }

  // arrive joins what was fetched with what came live in the meantime.
  arrive() {
    this.present = true;
    const last = this.last;
    for (const [seq, html] of [...this.held].sort((a, b) => a[0] - b[0])) {
      if (seq > last) this.place([...parse(html).querySelectorAll("[data-seq]")]);
    }
    this.held.clear();
    this.edges();
  }

  has(seq) {
    return this.held.has(seq) || this.list.querySelector(`[data-seq="${seq}"]`) !== null;
  }

  // place puts items where their numbers belong; one that is there already is left out.
  place(items) {
    for (const item of items) {
      const seq = Number(item.dataset.seq);
      if (this.list.querySelector(`[data-seq="${seq}"]`)) continue;
      let next = null;
      if (seq < this.last) next = [...this.items].find((i) => Number(i.dataset.seq) > seq) ?? null;
      if (next?.previousElementSibling?.matches(".day")) next = next.previousElementSibling;
      this.list.insertBefore(item, next);
    }
    this.days();
    this.group();
    $("[data-stream-empty]", this.section).hidden = this.items.length > 0;
    this.dispatchEvent(new Event("placed"));
  }

  // days sets the separators where the viewer's calendar day changes.
  days() {
    let before = "";
    for (const item of this.items) {
      const today = day(Date.parse(item.dataset.at));
      let mark = item.previousElementSibling;
      if (!mark?.matches(".day")) mark = null;
      if (today === before) mark?.remove();
      else if (!mark) item.before(dayMark(today, item.dataset.at));
      before = today;
    }
  }

  // group names an author once for what they say in one go; the templates do
  // the same for what the page brings.
  group() {
    let before = null;
    for (const item of this.list.children) {
      if (item.matches("[data-pending]")) break;
      const goes = before?.matches(".msg:not(.is-deleted)") && item.matches(".msg") && !$(".msg-quote", item) &&
        before.dataset.author === item.dataset.author && before.dataset.by === item.dataset.by &&
        Date.parse(item.dataset.at) - Date.parse(before.dataset.at) < together;
      item.classList.toggle("is-continued", Boolean(goes));
      before = item;
    }
  }

  // swap puts in a message as it is now.
  swap(seq, html) {
    const old = this.list.querySelector(`[data-seq="${seq}"]`);
    const fresh = html && parse(html).querySelector("[data-seq]");
    if (!old || !fresh) return null;
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const edit = $("[data-edit]", old); // what is being typed in it stays
    this.holdEnd(() => old.replaceWith(fresh));
    if (edit && fresh.matches("[data-message]")) {
      $(".entry-body", fresh).append(edit);
      fresh.classList.add("is-editing");
    }
    if (focused) {
      fresh.tabIndex = -1;
      (fresh.contains(focused) ? focused : fresh).focus({ preventScroll: true });
    }
    this.group();
    return fresh;
  }

  // holdEnd changes the list and stays at its end if it was there.
  holdEnd(change) {
    const follow = this.present && this.atEnd;
    change();
    if (follow) this.toEnd();
  }

  // reveal goes to an entry that is shown; false when it is not.
  reveal(seq) {
    const item = this.list.querySelector(`[data-seq="${seq}"]`);
    if (!item) return false;
    for (const other of $$(".is-found", this.list)) other.classList.remove("is-found");
    item.classList.add("is-found");
    this.center(item);
    return true;
  }

  // center scrolls an item to the middle of the stream, and nothing else: the
  // window around it must not move. Heights out of sight are estimates.
  center(item, frames = 4, move = ++this.move) {
    if (move !== this.move) return;
    this.stuck = false;
    const box = this.scroller.getBoundingClientRect();
    const at = item.getBoundingClientRect();
    this.scroller.scrollTop += at.top - box.top - (box.height - at.height) / 2;
    if (frames > 0) requestAnimationFrame(() => this.center(item, frames - 1, move));
    else this.stuck = this.present && this.atEnd; // it may stand near the end
  }

  trim(edge) {
    const all = this.items;
    for (let i = 0; i < all.length - most && edge === "older"; i++) {
      if (all[i].previousElementSibling?.matches(".day")) all[i].previousElementSibling.remove();
      all[i].remove();
      this.older = true;
    }
    if (all.length > most) this.days();
  }

  // holdStill changes the list without moving what the reader looks at.
  holdStill(change) {
    const anchor = this.list.querySelector("[data-seq]");
    const before = anchor?.getBoundingClientRect().top ?? 0;
    change();
    if (anchor) this.scroller.scrollTop += anchor.getBoundingClientRect().top - before;
  }

  // toEnd goes to the newest entry. Entries out of sight have an estimated
  // height, so the end moves while the last ones are drawn for the first time.
  toEnd(frames = 5, move = ++this.move) {
    if (move !== this.move) return;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    if (frames > 0) requestAnimationFrame(() => this.toEnd(frames - 1, move));
  }

  scrolled() {
    this.stuck = this.present && this.atEnd;
    if (this.stuck) this.read();
    else this.showPill();
  }

  announceUnread() {
    this.unread++;
    this.showPill();
  }

  read() {
    this.unread = 0;
    this.pill.hidden = true;
  }

  showPill() {
    const far = !this.present || this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight > this.scroller.clientHeight;
    this.pill.hidden = !far && this.unread === 0;
    const count = $("[data-new-count]", this.pill);
    count.hidden = this.unread === 0;
    count.textContent = say("new_entries", this.unread);
  }

  edges() {
    const older = $('[data-edge="older"]', this.section);
    older.hidden = !this.older && this.items.length === 0;
    const beginning = $("[data-beginning]", older);
    if (beginning) beginning.hidden = this.older;
    const link = $("[data-load]", older);
    if (link) link.hidden = !this.older;
    $('[data-edge="newer"]', this.section).hidden = this.present;
    this.showPill();
  }
}

function dayMark(today, at) {
  const mark = document.createElement("li");
  mark.className = "day";
  mark.dataset.day = today;
  const span = document.createElement("span");
  span.textContent = sayTime(Date.parse(at), "day");
  mark.append(span);
  return mark;
}

export const makeTimeline = (section) => new Timeline(section);

export function startTimeline() {
  const section = $("[data-timeline]:not([data-thread])");
  if (!section) return null;
  return new Timeline(section);
}
