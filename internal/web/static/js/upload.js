// Files to send: chosen, dropped or pasted. Each is uploaded at once, with its
// progress and a button to stop it; the message carries their ids.
import { $, say, toast } from "./dom.js";

export class Uploads {
  constructor(form) {
    this.form = form;
    this.list = $("[data-uploads]", form);
    this.voice = $("[data-composer-voice]", form);
    this.all = new Set();
    const input = $("[data-attach-input]", form);
    if (!input) return;
    $("[data-attach]", form).addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      this.add([...input.files]);
      input.value = "";
    });
    form.addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      this.add(files.map(named));
    });
    this.drop(form.closest("[data-timeline]") ?? form);
  }

  // drop takes files anywhere over the conversation.
  drop(area) {
    let depth = 0;
    const over = (on) => area.classList.toggle("is-dropping", on);
    const files = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    area.addEventListener("dragenter", (event) => {
      if (!files(event)) return;
      event.preventDefault();
      depth++;
      over(true);
    });
    area.addEventListener("dragover", (event) => files(event) && event.preventDefault());
    area.addEventListener("dragleave", (event) => {
      if (!files(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) over(false);
    });
    area.addEventListener("drop", (event) => {
      if (!files(event)) return;
      event.preventDefault();
      depth = 0;
      over(false);
      this.add([...event.dataTransfer.files]);
      $("[data-composer-text]", this.form)?.focus();
    });
  }

  add(files) {
    for (const file of files) {
      const one = new Upload(this, file);
      this.all.add(one);
      this.list.append(one.item);
      one.start();
    }
    this.show();
  }

  remove(one) {
    this.all.delete(one);
    one.item.remove();
    this.show();
  }

  show() {
    this.list.hidden = this.all.size === 0;
    this.form.dispatchEvent(new Event("watchroom:uploads"));
  }

  get busy() {
    return [...this.all].some((u) => u.busy);
  }
  get ready() {
    return [...this.all].filter((u) => u.id);
  }

  // take hands over what is uploaded and forgets it.
  take() {
    const files = this.ready.map((u) => ({ id: u.id, name: u.file.name }));
    for (const u of this.ready) this.remove(u);
    return files;
  }
}

// named gives a pasted picture a name that tells it from the next one.
function named(file) {
  if (file.name && file.name !== "image.png") return file;
  const at = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  const kind = (file.type.split("/")[1] ?? "bin").replace("jpeg", "jpg");
  return new File([file], `screenshot-${at}.${kind}`, { type: file.type });
}

// reason is why a file was refused, where the server says it.
function reason(request) {
  const plain = (request.getResponseHeader("Content-Type") ?? "").startsWith("text/plain");
  return plain ? request.responseText.trim() : "";
}

class Upload {
  constructor(owner, file) {
    this.owner = owner;
    this.file = file;
    this.busy = true;
    this.item = document.createElement("li");
    this.item.className = "upload";
    const name = document.createElement("span");
    name.className = "upload-name truncate";
    name.textContent = file.name;
    this.bar = document.createElement("progress");
    this.bar.max = 100;
    this.bar.value = 0;
    this.bar.setAttribute("aria-label", file.name);
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.className = "tool";
    this.button.textContent = "×";
    this.button.setAttribute("aria-label", say("chat.script.upload.cancel", file.name));
    this.button.addEventListener("click", () => this.cancel());
    if (file.type.startsWith("image/")) {
      const picture = document.createElement("img");
      picture.alt = "";
      const reader = new FileReader(); // the policy lets pictures come from data, not from blobs
      reader.onload = () => (picture.src = reader.result);
      reader.readAsDataURL(file);
      this.item.append(picture);
    }
    this.item.append(name, this.bar, this.button);
  }

  start() {
    const request = new XMLHttpRequest(); // fetch does not tell how far it is
    this.request = request;
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) this.bar.value = (100 * event.loaded) / event.total;
    };
    request.onload = () => {
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        // the status says enough
      }
      const done = [answer].flat()[0];
      const id = done?.id ?? done?.files?.[0]?.id;
      if (request.status >= 200 && request.status < 300 && id) this.done(id);
      else this.failed(request.status === 413 ? say("chat.script.upload.large", this.file.name) : reason(request));
    };
    request.onerror = () => this.failed();
    const data = new FormData();
    data.append("file", this.file, this.file.name);
    request.open("POST", "/files");
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("HX-Request", "true"); // what is wrong comes in words, without a page around them
    request.send(data);
  }

  done(id) {
    this.id = id;
    this.busy = false;
    this.bar.remove();
    this.item.classList.add("is-ready");
    this.button.setAttribute("aria-label", say("chat.script.upload.remove", this.file.name));
    this.owner.voice.textContent = say("chat.script.upload.done", this.file.name);
    this.owner.show();
  }

  failed(why) {
    this.busy = false;
    toast("critical", why || say("chat.script.upload.failed", this.file.name));
    this.owner.remove(this);
  }

  cancel() {
    this.request?.abort();
    this.busy = false;
    this.owner.remove(this);
    $("[data-composer-text]", this.owner.form)?.focus();
  }
}

