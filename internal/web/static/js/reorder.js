// Rows of a list can be dragged into another order with a mouse; the buttons
// beside them do the same with keys and fingers. The server redraws the form
// afterwards, so that it alone knows what a place in the order means.
const row = (event) => event.target.closest?.("[data-reorder-item]");
let dragged = null;

// Only where nothing else wants the mouse, and only with a script: without one a row stays put.
document.addEventListener("pointerdown", (event) => {
  const item = row(event);
  if (item) item.draggable = event.pointerType === "mouse" && !event.target.closest("button, input, select, a");
});

document.addEventListener("dragstart", (event) => {
  dragged = row(event) ?? null;
  if (!dragged) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", "");
  dragged.classList.add("is-dragged");
});

document.addEventListener("dragover", (event) => {
  const over = row(event);
  if (!dragged || !over || over.parentElement !== dragged.parentElement) return;
  event.preventDefault();
  if (over === dragged) return;
  const box = over.getBoundingClientRect();
  if (event.clientY > box.top + box.height / 2) over.after(dragged);
  else over.before(dragged);
});

document.addEventListener("drop", (event) => dragged && event.preventDefault());

document.addEventListener("dragend", () => {
  if (!dragged) return;
  dragged.classList.remove("is-dragged");
  dragged.closest("form")?.querySelector("[data-reorder-done]")?.click();
  dragged = null;
});
