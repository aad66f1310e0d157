// The connection that brings news. It resumes after the last number heard of,
// so that nothing is lost or shown twice, and says so when it is down.
import { $, parse, refreshParts, say } from "./dom.js";
import { put, setTriggered, stateOf } from "./cards.js";
import { alertPerson, startAlerting } from "./alerting.js";
import { isAway, tab } from "./presence.js";

const silence = 45_000; // without even a ping for so long, the connection is dead
const grace = 2_500; // shorter interruptions are not worth a banner
const asleep = 5 * 60_000; // a hidden window lets go of its connection after this
const longest = 30_000; // between two tries

class Live {
  constructor(timeline) {
    this.timeline = timeline;
    this.tries = 0;
    this.heard = Date.now();
    this.down = 0; // since when there is no connection
    this.banner = $("[data-connection]");
    this.mark = $("[data-live]");
  }

  start() {
    this.connect();
    setInterval(() => this.watch(), 1000);
    window.addEventListener("online", () => this.connect());
    window.addEventListener("offline", () => this.lost());
    window.addEventListener("pageshow", (event) => event.persisted && this.connect());
    window.addEventListener("pagehide", () => this.source?.close());
    document.addEventListener("visibilitychange", () => this.visibility());
    this.timeline.addEventListener("filter", () => this.connect());
    $("[data-reconnect]")?.addEventListener("click", () => this.connect());
  }

  connect() {
    clearTimeout(this.retry);
    this.retry = null;
    this.source?.close();
    this.sleeping = false;
    this.show("connecting");
    const query = this.timeline.query();
    query.set("after", this.timeline.cursor);
    query.set("epoch", this.timeline.epoch);
    query.set("tab", tab);
    if (isAway()) query.set("away", "1");
    const source = new EventSource(`/timeline/stream?${query}`);
    this.source = source;
    this.heard = Date.now();
    source.onopen = () => this.opened();
    source.onerror = () => source === this.source && this.lost();
    const on = (name, take) => source.addEventListener(name, (event) => {
      if (source !== this.source) return; // an old connection's last words
      this.heard = Date.now();
      take.call(this, event.data ? JSON.parse(event.data) : {});
      const id = Number(event.lastEventId);
      if (id > this.timeline.cursor) this.timeline.cursor = id;
    });
    on("ping", () => {});
    on("entry", this.entry);
    on("card", this.card);
    on("people", this.people);
    on("crowded", this.crowded);
    on("reset", this.reset);
    // What else there is to hear is for the parts of the chat.
    for (const name of ["message", "unread", "typing", "presence", "rooms"]) on(name, (data) => hear(name, data));
  }

  opened() {
    this.heard = Date.now();
    this.tries = 0;
    this.down = 0;
    this.banner.hidden = true;
    this.show("on");
  }

  // lost closes what the browser would retry at its own pace and plans a try of ours.
  lost() {
    this.source?.close();
    this.down ||= Date.now();
    this.show("connecting");
    if (this.retry) return;
    const wait = Math.min(longest, 500 * 2 ** this.tries++) * (0.5 + Math.random());
    this.retry = setTimeout(() => this.connect(), wait);
    if (this.tries === 3) this.ask();
  }

  // ask finds out whether the server is away or the session is over: an EventSource does not say.
  async ask() {
    try {
      const answer = await fetch(`/timeline/entries?after=${this.timeline.cursor}&limit=1`);
      if (answer.status === 401 || answer.status === 403 || (answer.redirected && new URL(answer.url).pathname === "/login")) {
        clearTimeout(this.retry);
        this.over = true;
        this.banner.hidden = false;
        $("[data-connection-text]").textContent = say("signed_out");
      }
    } catch {
      // away; the next try is planned
    }
  }

  watch() {
    if (this.over || this.sleeping) return;
    if (!this.down && Date.now() - this.heard > silence) this.lost();
    if (!this.down || Date.now() - this.down < grace) return;
    this.banner.hidden = false;
    const s = Math.round((Date.now() - this.heard) / 1000);
    const text = say("offline_since", s < 120 ? `${s} s` : `${Math.round(s / 60)} min`);
    const place = $("[data-connection-text]");
    if (place.textContent !== text) place.textContent = text;
  }

  visibility() {
    clearTimeout(this.nap);
    if (document.hidden) {
      this.nap = setTimeout(() => alertPerson.wanted() || this.sleep(), asleep);
    } else if (this.sleeping || this.down || Date.now() - this.heard > silence) this.connect();
  }

  sleep() {
    this.sleeping = true;
    clearTimeout(this.retry);
    this.retry = null;
    this.source?.close();
  }

  // crowded: so many pages are open that the server ends the oldest. One that nobody looks at lets it be.
  crowded() {
    if (document.hidden) this.sleep();
    else this.lost();
  }

  entry(data) {
    const seq = Number(data.seq);
    if (data.thread) hear("reply", data);
    else this.timeline.live(data);
    if (seq > this.timeline.cursor) this.timeline.cursor = seq;
  }

  card(data) {
    for (const ref of document.querySelectorAll(`[data-incident-ref="${Number(data.number)}"]`)) ref.dataset.state = data.state;
    const before = stateOf(data.number);
    put(data);
    if (data.counts) setTriggered(data.counts.triggered); // pages without the pane have the badge, too
    if (data.state === "triggered" && before !== "triggered") alertPerson(data);
    const here = $(`[data-room="${data.number}"], tr[data-card="${data.number}"]`);
    if (here) refreshParts();
  }

  // people puts in who is there now; what somebody searches for stays.
  people(data) {
    const pane = $("[data-people-body]");
    if (!pane) return;
    const before = $("[data-filter-list]", pane);
    const searching = before === document.activeElement;
    pane.replaceChildren(parse(data.html));
    const box = $("[data-filter-list]", pane);
    if (!box || !before) return;
    box.value = before.value;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    if (searching) box.focus({ preventScroll: true });
  }

  // reset: too much happened to send it all; the page is fetched anew, a draft survives.
  reset() {
    const last = Number(sessionStorage.getItem("watchroom.reset") ?? 0);
    if (Date.now() - last < 5000) return;
    sessionStorage.setItem("watchroom.reset", Date.now());
    location.reload();
  }

  show(state) {
    if (!this.mark) return;
    this.mark.dataset.liveState = state;
    $("[data-live-text]", this.mark).textContent = say(`live.${state}`);
  }
}

function hear(name, detail) {
  document.dispatchEvent(new CustomEvent(`watchroom:${name}`, { detail }));
}

export function startLive(timeline) {
  startAlerting();
  if (timeline) new Live(timeline).start();
}
