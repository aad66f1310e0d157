// What pages are operated with: dialogs, menus, copying, asking before doing.
// Everything hangs on data- attributes, so that pages need no script of their own.
import { $, $$, fade, refreshParts, showDialog, toast, say } from "./dom.js";

export function startUI() {
  document.addEventListener("click", onClick);
  document.addEventListener("submit", onSubmit, true);
  document.addEventListener("input", onInput);
  document.addEventListener("keydown", onKey);
  document.addEventListener("focusin", (event) => event.target.matches("[data-select-all]") && event.target.select());
  for (const box of $$("[data-toast]")) fade(box, /tone-(\w+)/.exec(box.className)?.[1]);
  guessZone();
  for (const here of $$(".side [aria-current=page], .tabs [aria-current=page]")) inView(here);
  for (const part of $$("[data-refresh-every]")) {
    setInterval(() => document.hidden || refreshParts(), Number(part.dataset.refreshEvery) * 1000);
  }
  document.addEventListener("htmx:response:error", (event) => {
    const status = event.detail?.ctx?.response?.raw?.status;
    toast("critical", say(status === 401 ? "signed_out" : status === 403 ? "forbidden" : "failed"));
  });
}

function onClick(event) {
  for (const menu of $$("details[data-menu][open]")) {
    if (!menu.contains(event.target) || (event.target.closest("a, button") && !event.target.closest("summary, .segments, [data-pane-toggle]"))) menu.open = false;
  }
  toggleDetails(event.target);
  const opener = event.target.closest("[data-open]");
  if (opener) openDialog(event, opener);
  const copy = event.target.closest("[data-copy]");
  if (copy) copyText(copy);
  // a click on the shade around a dialog closes it
  if (event.target instanceof HTMLDialogElement && event.target.open) {
    const r = event.target.getBoundingClientRect();
    if (event.clientX < r.left || event.clientX > r.right || event.clientY < r.top || event.clientY > r.bottom) event.target.close();
  }
}

// toggleDetails opens what belongs to an entry; anywhere on its line will do.
function toggleDetails(target) {
  if (target.closest("a") || getSelection()?.toString()) return;
  const button = target.closest("[data-toggle-details]") ?? target.closest(".entry-line")?.querySelector("[data-toggle-details]");
  if (!button) return;
  const open = document.getElementById(button.getAttribute("aria-controls")).classList.toggle("is-open");
  button.setAttribute("aria-expanded", String(open));
}

function openDialog(event, opener) {
  const dialog = $(opener.dataset.open);
  if (!(dialog instanceof HTMLDialogElement)) return; // the link still leads to a form
  event.preventDefault();
  opener.closest("[popover]")?.hidePopover();
  const form = $("[data-dialog-form]", dialog);
  if (form && opener.dataset.number) {
    form.action = `/incidents/${opener.dataset.number}/${form.dataset.dialogForm}`;
    form.dataset.number = opener.dataset.number;
  }
  showDialog(dialog);
}

// legacyCopy works where a page without TLS is refused the clipboard.
function legacyCopy(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

async function copyText(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    legacyCopy(button.dataset.copy);
  }
  const label = $("[data-copy-label]", button) ?? button;
  label.dataset.was ??= label.textContent;
  label.textContent = button.dataset.copied;
  setTimeout(() => (label.textContent = label.dataset.was), 1800);
}

// A form with data-confirm is held until the question is answered, then sent as it was.
function onSubmit(event) {
  const form = event.target;
  if (!form.dataset.confirm || form.dataset.confirmed === "yes") {
    delete form.dataset.confirmed;
    return;
  }
  const dialog = $("#confirm");
  if (!dialog) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  $("[data-confirm-text]", dialog).textContent = form.dataset.confirm;
  const yes = $("[data-confirm-yes]", dialog);
  yes.textContent = form.dataset.confirmLabel || yes.dataset.label;
  const { submitter } = event;
  dialog.returnValue = "";
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "yes") return;
    form.dataset.confirmed = "yes";
    form.requestSubmit(submitter);
  }, { once: true });
  dialog.showModal();
}

function onInput(event) {
  if (!event.target.matches("[data-filter-list]")) return;
  const scope = event.target.closest("[data-filter-scope]");
  const wanted = event.target.value.trim().toLocaleLowerCase();
  let shown = 0;
  for (const row of $$("[data-filter-text]", scope)) {
    row.hidden = !row.dataset.filterText.toLocaleLowerCase().includes(wanted);
    if (!row.hidden) shown++;
  }
  const none = $("[data-filter-none]", scope);
  if (none) none.hidden = shown > 0;
}

function onKey(event) {
  if (event.key !== "Escape") return;
  for (const menu of $$("details[data-menu][open]")) {
    menu.open = false;
    $("summary", menu).focus();
  }
}

// guessZone chooses the browser's own time zone where nobody has chosen one.
function guessZone() {
  const select = $("select[data-guess-zone]");
  if (!select) return;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if ([...select.options].some((o) => o.value === zone)) select.value = zone;
}

// inView scrolls a row of links sideways to where one is; the page stays where it is.
function inView(link) {
  const row = link.closest(".side, .tabs");
  if (row.scrollWidth <= row.clientWidth) return;
  const at = link.getBoundingClientRect();
  const box = row.getBoundingClientRect();
  row.scrollLeft += at.left - box.left - (box.width - at.width) / 2;
}
