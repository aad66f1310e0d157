// Who would be paged: the slider moves through the week, and the answer follows.
// The server computes it; without this script the form's button does the same.
import { $, say as text, toast } from "./dom.js";
import { day, say } from "./time.js";

const form = $("[data-explain]");
const start = Date.parse(form.dataset.start);
const [slider, at, was] = [form.elements.ahead, form.elements.at, form.elements.was];
const quarter = 15 * 60e3;
let asking = null;
let timer = 0;

// The days below the slider, at their mornings in the viewer's zone.
function labels() {
  const days = $("[data-explain-days]", form);
  const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "short", timeZone: document.body.dataset.zone || undefined });
  for (let n = 1; n <= 7; n++) {
    const label = document.createElement("span");
    label.textContent = weekday.format(start + n * 86400e3);
    days.append(label);
  }
}

// typed is an instant as a field of local time has it, in the viewer's zone.
const typed = (instant) => `${day(instant)}T${say(instant, "time")}`;

function slide() {
  at.value = typed(start + Number(slider.value) * quarter);
  was.value = at.value; // the slider means it, not the field
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(ask, 180);
}

async function ask() {
  asking?.abort();
  asking = new AbortController();
  const query = new URLSearchParams(new FormData(form));
  const answer = $("#explain-answer");
  answer.classList.add("is-loading");
  try {
    const page = await fetch(`/explain?${query}`, { signal: asking.signal, headers: { Accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await page.text(), "text/html").querySelector("#explain-answer");
    if (!fresh) throw new Error(text("failed"));
    answer.replaceWith(document.importNode(fresh, true));
    for (const name of ["ahead", "team", "entity", "was"]) if (!query.get(name)) query.delete(name);
    history.replaceState(null, "", `/explain?${query}`);
  } catch (problem) {
    if (problem.name === "AbortError") return;
    answer.classList.remove("is-loading");
    toast("critical", form.dataset.failed);
  }
}

labels();
slider.addEventListener("input", () => {
  slide();
  later();
});
form.addEventListener("input", (event) => event.target !== slider && later());
form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
