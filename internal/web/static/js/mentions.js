// Completion while typing: people, teams, rooms, incidents, emoji and commands.
// What could follow is asked of the server, which knows what the reader may
// see; emoji are known here.
import { $, say } from "./dom.js";
import { allEmoji, place } from "./emoji.js";

const pause = 90; // milliseconds after the last key
const most = 10;

// token finds what is being typed before the cursor: [where it begins, itself].
// To the bot alone every line is a command.
function token(text, at, alone) {
  const before = text.slice(0, at);
  const line = before.slice(before.lastIndexOf("\n") + 1);
  if (before.length === line.length && (/^[!./$%&?+~^][a-z]/i.test(line) || spokenTo(line))) return { from: 0, text: before, command: true };
  const found = /(^|[\s([{"'])((?:@@?|#|:)[\w.+-]*(?::[\w.-]*)?)$/.exec(line);
  if (!found && alone && /^[a-z]/i.test(line) && before.length === line.length) return { from: 0, text: before, command: true };
  if (!found) return null;
  if (found[2].startsWith(":") && found[2].length < 3) return null;
  return { from: at - found[2].length, text: found[2], command: false };
}

// spokenTo reports whether a line begins as people speak to the bot: "@victor ack", "victor: ack".
function spokenTo(line) {
  const name = document.body.dataset.bot ?? "";
  const low = line.toLowerCase();
  if (!name) return false;
  return low.startsWith(`@${name} `) || [":", ","].some((sign) => low.startsWith(name + sign) || low.startsWith(`@${name}${sign}`));
}

export class Completion {
  constructor(box, room) {
    this.box = box;
    this.room = room;
    this.alone = /^dm-(bot~|.*~bot$)/.test(room);
    this.list = document.createElement("ul");
    this.list.id = `${box.id}-candidates`;
    this.list.className = "candidates";
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", say("chat.script.suggestions"));
    this.list.hidden = true;
    this.list.popover = "manual";
    box.after(this.list);
    box.setAttribute("aria-autocomplete", "list");
    box.setAttribute("aria-haspopup", "listbox");
    this.voice = $("[data-composer-voice]", box.form);
    box.addEventListener("input", () => this.later());
    box.addEventListener("blur", () => setTimeout(() => this.close(), 120));
    box.addEventListener("click", () => this.close());
    window.addEventListener("resize", () => this.open && place(this.list, this.box));
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.take(Number(option.dataset.at));
    });
    this.found = [];
    this.turn = 0;
  }

  get open() {
    return !this.list.hidden;
  }

  later() {
    clearTimeout(this.wait);
    const now = token(this.box.value, this.box.selectionStart, this.alone);
    if (!now) return this.close();
    this.wait = setTimeout(() => this.look(), pause);
  }

  async look() {
    const turn = ++this.turn;
    const text = this.box.value;
    const now = token(this.box.value, this.box.selectionStart, this.alone);
    if (!now) return this.close();
    const found = now.text.startsWith(":") ? await emojiFor(now) : await this.ask();
    if (turn !== this.turn || document.activeElement !== this.box || text !== this.box.value) return;
    this.text = text;
    if (found.length === 0) this.close();
    else this.show(found);
  }

  async ask() {
    const query = new URLSearchParams({ room: this.room, text: this.box.value, at: this.box.selectionStart });
    try {
      const answer = await fetch(`/complete?${query}`, { headers: { Accept: "application/json", "HX-Request": "true" } });
      if (!answer.ok) return [];
      const data = await answer.json();
      return (data.candidates ?? data ?? []).slice(0, most);
    } catch {
      return [];
    }
  }

  show(found) {
    const before = this.open;
    this.found = found;
    this.at = 0;
    this.list.replaceChildren(...found.map((c, i) => option(c, i, this.list.id)));
    this.list.hidden = false;
    if (!this.list.matches(":popover-open")) this.list.showPopover?.();
    place(this.list, this.box);
    this.mark();
    if (!before) this.voice.textContent = say("chat.script.candidates", found.length);
  }

  close() {
    clearTimeout(this.wait);
    this.turn++;
    if (!this.open) return;
    if (this.list.matches(":popover-open")) this.list.hidePopover();
    this.list.hidden = true;
    this.box.removeAttribute("aria-activedescendant");
    this.box.removeAttribute("aria-controls");
  }

  mark() {
    for (const [i, item] of [...this.list.children].entries()) item.setAttribute("aria-selected", String(i === this.at));
    const one = this.list.children[this.at];
    this.box.setAttribute("aria-controls", this.list.id);
    this.box.setAttribute("aria-activedescendant", one.id);
    one.scrollIntoView({ block: "nearest" });
  }

  // key takes the keys that belong to an open list; true when it did.
  key(event) {
    if (!this.open) return false;
    switch (event.key) {
      case "ArrowDown":
      case "ArrowUp":
        this.at = (this.at + (event.key === "ArrowDown" ? 1 : -1) + this.found.length) % this.found.length;
        this.mark();
        return true;
      case "Tab":
      case "Enter":
        if (this.text !== this.box.value) { // offered for less than what stands there by now
          this.close();
          return event.key === "Tab";
        }
        if (event.shiftKey || this.found[this.at].hint_only) return false;
        if (event.key === "Enter" && this.complete(this.found[this.at])) {
          this.close();
          return false; // there is nothing to take: the line is sent
        }
        this.take(this.at);
        return true;
      case "Escape":
        this.close();
        return true;
    }
    return false;
  }

  // complete reports whether a candidate stands there already.
  complete(c) {
    return c.from !== undefined && this.box.value.slice(c.from, c.to ?? this.box.selectionStart).trim() === (c.insert ?? "").trim();
  }

  take(i) {
    const c = this.found[i];
    const now = token(this.box.value, this.box.selectionStart, this.alone);
    const from = c.from ?? now?.from ?? this.box.selectionStart;
    const to = c.to ?? this.box.selectionStart;
    const insert = c.insert ?? c.text ?? "";
    const after = this.box.value[to] === " " || insert.endsWith(" ") ? "" : " ";
    this.box.setRangeText(insert + after, from, to, "end");
    this.close();
    this.box.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function option(c, i, list) {
  const item = document.createElement("li");
  item.id = `${list}-${i}`;
  item.className = "candidate";
  item.dataset.at = i;
  item.setAttribute("role", "option");
  const label = document.createElement("span");
  label.className = "candidate-label";
  label.textContent = c.label ?? c.insert ?? c.text ?? "";
  const hint = document.createElement("span");
  hint.className = "candidate-hint muted small truncate";
  hint.textContent = c.hint ?? c.detail ?? "";
  item.append(label, hint);
  return item;
}

async function emojiFor(now) {
  const wanted = now.text.slice(1).toLowerCase();
  const all = await allEmoji();
  return all
    .filter((e) => e.n.includes(wanted))
    .sort((a, b) => b.n.startsWith(wanted) - a.n.startsWith(wanted) || a.n.length - b.n.length)
    .slice(0, most)
    .map((e) => ({ label: `${e.c}  :${e.n}:`, insert: e.c, from: now.from }));
}
