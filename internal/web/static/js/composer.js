// The box to write in. A line shows at once as pending; it is confirmed when
// the timeline brings it back with its number, and can be sent again when not.
import { $, say } from "./dom.js";

export function startComposer(timeline) {
  const form = $("[data-composer]");
  if (!form || !timeline) return;
  const box = $("[data-composer-text]", form);
  const key = `watchroom.draft.${form.dataset.composer}`;
  box.value = draft(key);
  box.addEventListener("input", () => draft(key, box.value));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
    if (event.key === "Escape") box.blur();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = box.value.trim();
    if (!text) return;
    box.value = "";
    draft(key, "");
    new Pending(timeline, form.action, text).send();
  });
}

function draft(key, value) {
  try {
    if (value === undefined) return sessionStorage.getItem(key) ?? "";
    if (value) sessionStorage.setItem(key, value);
    else sessionStorage.removeItem(key);
  } catch {
    // without storage a draft lasts as long as the page
  }
  return "";
}

class Pending {
  constructor(timeline, address, text) {
    this.timeline = timeline;
    this.address = address;
    this.text = text;
    this.nonce = crypto.randomUUID?.() ?? String(Math.random()).slice(2); // the server takes the same line once
    this.since = timeline.cursor;
    this.item = $("[data-pending-template]", timeline.section).content.firstElementChild.cloneNode(true);
    $("[data-text]", this.item).textContent = text;
    $("[data-retry]", this.item).addEventListener("click", () => this.send());
    $("[data-discard]", this.item).addEventListener("click", () => this.done());
    this.check = () => this.confirm();
    timeline.addEventListener("placed", this.check);
  }

  async send() {
    this.state("message.sending", false);
    if (!this.timeline.present) await this.timeline.toPresent();
    this.timeline.list.append(this.item);
    this.timeline.toEnd();
    try {
      const answer = await fetch(this.address, {
        method: "POST",
        body: new URLSearchParams({ text: this.text, nonce: this.nonce }),
        headers: { Accept: "text/html", "HX-Request": "true" },
      });
      if (!answer.ok || (answer.redirected && new URL(answer.url).pathname === "/login")) throw new Error(String(answer.status));
      this.seq = Number(answer.headers.get("Watchroom-Seq")) || 0;
      this.sent = true;
      this.confirm();
    } catch {
      this.state("message.failed", true);
    }
  }

  // confirm takes the pending line away once the real one is there: by its
  // number, or by author and words where the answer carried no number.
  confirm() {
    if (this.seq ? this.timeline.has(this.seq) : this.found()) this.done();
    else if (this.item.isConnected) this.timeline.list.append(this.item); // stay last
  }

  found() {
    return [...this.timeline.list.querySelectorAll(`[data-by="${CSS.escape(document.body.dataset.user ?? "")}"]`)].some(
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
    this.item.remove();
  }
}
