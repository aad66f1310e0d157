// Acting on incidents: forms with data-act are sent in the background, and the
// card the server answers with is put in. Several cards can be ticked at once.
import { $, $$, parse, refreshParts, say, toast } from "./dom.js";
import { put, setTriggered } from "./cards.js";

export function startActions() {
  setTriggered(Number(document.body.dataset.triggered ?? 0));
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-act]");
    if (!form || event.defaultPrevented) return;
    event.preventDefault();
    send(form, new FormData(form, event.submitter));
  });
  document.addEventListener("change", (event) => event.target.matches("[data-tick]") && showBulk());
  document.addEventListener("watchroom:cards", showBulk);
  document.addEventListener("click", (event) => {
    const act = event.target.closest("[data-bulk-act]");
    if (act) bulk(act.dataset.bulkAct);
    if (event.target.closest("[data-bulk-clear]")) clearTicks();
  });
}

// post sends an action; it returns the answer, or null when nobody answered.
async function post(address, data) {
  try {
    return await fetch(address, {
      method: "POST",
      body: new URLSearchParams(data),
      headers: { Accept: "text/html", "HX-Request": "true" },
    });
  } catch {
    return null;
  }
}

async function send(form, data) {
  const { act, number } = form.dataset;
  form.closest("[popover]")?.hidePopover();
  const card = form.closest("[data-card]") ?? $(`[data-card="${number}"]`);
  card?.classList.add("is-busy");
  const answer = await post(form.action, data);
  card?.classList.remove("is-busy");
  if (await accept(answer, act, number)) {
    form.closest("dialog")?.close();
    form.reset();
  }
}

// accept shows an answer and says whether it was a yes.
async function accept(answer, act, number) {
  if (!answer) {
    toast("critical", say("network"));
    return false;
  }
  if (answer.status === 401 || (answer.redirected && new URL(answer.url).pathname === "/login")) {
    toast("warning", say("signed_out"), { href: "/login", text: say("action.sign_in") });
    return false;
  }
  if (!answer.ok) {
    toast(answer.status === 409 ? "warning" : "critical", await reason(answer));
    if (answer.status === 409) refreshParts();
    return answer.status === 409;
  }
  const card = parse(await answer.text()).querySelector(`[data-card="${number}"]`);
  if (card && !answer.redirected) put({ number, state: card.dataset.state, html: card.outerHTML, seq: card.dataset.seq });
  toast("ok", say(`done.${act}`, number));
  refreshParts();
  return true;
}

// reason is what the server says in plain text or as a problem document.
async function reason(answer) {
  const kind = answer.headers.get("Content-Type") ?? "";
  try {
    if (kind.includes("json")) return (await answer.json()).detail || say("failed");
    const text = (await answer.text()).trim();
    if (kind.startsWith("text/plain") && text && text.length < 400) return text;
  } catch {
    // the status alone must do
  }
  return say(answer.status === 409 ? "conflict" : answer.status === 403 ? "forbidden" : "failed");
}

// act presses the button of a card or of the open incident; false when there is none.
export function act(root, action) {
  const form = $(`form[data-act="${action}"]`, root ?? document);
  if (!form) return false;
  form.requestSubmit();
  return true;
}

const ticked = () => $$("[data-list]:not([hidden]) [data-tick]:checked");

function showBulk() {
  const bar = $("[data-bulk]");
  if (!bar) return;
  const n = ticked().length;
  bar.hidden = n === 0;
  $("[data-bulk-count]", bar).textContent = n;
  bar.closest("[data-incidents]").classList.toggle("is-selecting", n > 0);
}

export function clearTicks() {
  const some = ticked();
  for (const tick of some) tick.checked = false;
  showBulk();
  return some.length > 0;
}

async function bulk(action) {
  for (const tick of ticked()) {
    const card = tick.closest("[data-card]");
    tick.checked = false;
    const answer = await post(`/incidents/${card.dataset.card}/${action}`, {});
    await accept(answer, action, card.dataset.card);
    if (!answer) break;
  }
  showBulk();
}
