// The box to write in. A line shows at once as pending; it is confirmed when
// the timeline brings it back with its number, and can be sent again when not.
import { $, $$, complain, post, say, toast } from "./dom.js";
import { pick } from "./emoji.js";
import { Completion } from "./mentions.js";
import { sayTyping, showTyping, stopTyping } from "./presence.js";
import { Uploads } from "./upload.js";

const composers = new Map(); // by form

export function startComposer(timeline) {
  const form = $("[data-composer]:not([data-thread])");
  if (form && timeline) makeComposer(form, timeline);
}

export function makeComposer(form, timeline) {
  const made = new Composer(form, timeline);
  composers.set(form, made);
  return made;
}

// composerFor is the box in which an answer to a message belongs: the one
// below it.
export const composerFor = (element) => composers.get($("[data-composer]", element?.closest("[data-timeline], [data-side-panel]") ?? document)) ?? [...composers.values()][0];

class Composer {
  constructor(form, timeline) {
    this.form = form;
    this.timeline = timeline;
    this.box = $("[data-composer-text]", form);
    this.room = form.dataset.chatRoom;
    this.thread = form.dataset.thread ?? "";
    this.incident = form.dataset.incident ?? "";
    this.key = `watchroom.draft.${document.body.dataset.user}.${this.room}.${this.thread}.${this.incident}`;
    this.uploads = new Uploads(form);
    this.completion = new Completion(this.box, this.room);
    this.quoted = null;
    this.box.value = draft(this.key);
    this.box.addEventListener("input", () => {
      draft(this.key, this.box.value);
      if (this.box.value.trim()) sayTyping(this.room, this.thread);
      else stopTyping(this.room, this.thread);
    });
    this.box.addEventListener("keydown", (event) => this.onKey(event));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    $("[data-emoji]", form)?.addEventListener("click", (event) => pick(event.currentTarget, (sign) => this.insert(sign)));
    $("[data-quoting-off]", form)?.addEventListener("click", () => this.quote(null));
    form.addEventListener("watchroom:uploads", () => this.state());
    this.box.addEventListener("input", () => this.state());
    this.state();
    showTyping();
  }

  onKey(event) {
    if (event.isComposing) return;
    if (this.completion.key(event)) {
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.form.requestSubmit();
    }
    if (event.key === "ArrowUp" && this.box.value === "" && !event.shiftKey) {
      event.preventDefault();
      this.form.dispatchEvent(new CustomEvent("watchroom:edit-last", { bubbles: true, detail: this.timeline }));
    }
    if (event.key === "Escape") {
      if (this.quoted) this.quote(null);
      else this.box.blur();
      event.stopPropagation();
    }
  }

  state() {
    const nothing = !this.box.value.trim() && this.uploads.all.size === 0;
    $(".composer-send", this.form).classList.toggle("is-quiet", nothing);
  }

  insert(text) {
    this.box.focus();
    this.box.setRangeText(text, this.box.selectionStart, this.box.selectionEnd, "end");
    this.box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // quote shows what will be quoted; null quotes nothing.
  quote(what) {
    this.quoted = what;
    const place = $("[data-quoting]", this.form);
    place.hidden = !what;
    if (!what) return;
    $("[data-quoting-author]", place).textContent = what.author;
    $("[data-quoting-text]", place).textContent = what.text;
    this.box.focus();
  }

  submit() {
    const text = this.box.value.trim();
    if (this.uploads.busy) {
      toast("info", say("chat.script.upload.wait"));
      return;
    }
    const files = this.uploads.take();
    if (!text && files.length === 0) return;
    const fields = new URLSearchParams({ text });
    for (const f of files) fields.append("files", f.id);
    if (this.thread) fields.set("thread", this.thread);
    if (this.incident) fields.set("incident", this.incident);
    if (this.quoted) fields.set("quote", this.quoted.seq);
    this.quote(null);
    this.box.value = "";
    draft(this.key, "");
    this.state();
    stopTyping(this.room, this.thread);
    new Pending(this, text, fields, files).send();
  }

  // restore puts back what was not taken; false when there is something else by now.
  restore(text) {
    if (this.box.value.trim() !== "") return false;
    this.box.value = text;
    draft(this.key, text);
    this.state();
    this.box.focus();
    return true;
  }
}

// draft keeps what is not sent yet in this browser, for each room.
function draft(key, value) {
  try {
    if (value === undefined) return localStorage.getItem(key) ?? "";
    if (value) localStorage.setItem(key, value);
    else localStorage.removeItem(key);
  } catch {
    // without storage a draft lasts as long as the page
  }
  return "";
}

class Pending {
  constructor(composer, text, fields, files) {
    const timeline = composer.timeline;
    this.composer = composer;
    this.timeline = timeline;
    this.address = composer.form.action;
    this.plain = files.length === 0 && !fields.has("quote"); // all of it is in the box
    this.text = text;
    this.fields = fields;
    fields.set("nonce", crypto.randomUUID?.() ?? String(Math.random()).slice(2)); // the server takes the same line once
    this.since = timeline.cursor;
    this.item = $("[data-pending-template]", timeline.section).content.firstElementChild.cloneNode(true);
    $("[data-text]", this.item).textContent = text;
    const names = $("[data-pending-files]", this.item);
    names.hidden = files.length === 0;
    names.textContent = files.map((f) => f.name).join(", ");
    $("[data-retry]", this.item).addEventListener("click", () => this.send());
    $("[data-discard]", this.item).addEventListener("click", () => this.done());
    this.check = () => this.confirm();
    timeline.addEventListener("placed", this.check);
    window.addEventListener("online", (this.again = () => this.failed && this.send()));
  }

  async send() {
    this.failed = false;
    this.state("message.sending", false);
    if (!this.timeline.present) await this.timeline.toPresent();
    this.timeline.list.append(this.item);
    $("[data-stream-empty]", this.timeline.section).hidden = true;
    this.timeline.toEnd();
    try {
      const answer = await post(this.address, this.fields);
      this.seq = Number(answer.headers.get("Watchroom-Seq")) || 0;
      this.confirm();
    } catch (error) {
      this.failed = true;
      if (error.status === 429 && this.plain && this.composer.restore(this.text)) this.done();
      else this.state("message.failed", true);
      if (navigator.onLine && error.message !== say("network")) complain(error);
    }
  }

  // confirm takes the pending line away once the real one is there: by its
  // number, or by author and words where the answer carried no number.
  confirm() {
    if (this.seq ? this.timeline.has(this.seq) : this.found()) this.done();
    else if (this.item.isConnected) this.timeline.list.append(this.item); // stay last
  }

  found() {
    return $$(`[data-by="${CSS.escape(document.body.dataset.user ?? "")}"]`, this.timeline.list).some(
      (entry) => Number(entry.dataset.seq) > this.since && $("[data-text]", entry)?.textContent.trim() === this.text,
    );
  }

  state(words, failed) {
    this.item.classList.toggle("is-failed", failed);
    $("[data-pending-state]", this.item).textContent = say(words);
    $("[data-pending-actions]", this.item).hidden = !failed;
  }

  done() {
    this.timeline.removeEventListener("placed", this.check);
    window.removeEventListener("online", this.again);
    this.item.remove();
  }
}
