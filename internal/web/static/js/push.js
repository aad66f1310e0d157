// Subscribing this browser: permission is asked for when the button is pressed,
// never before, and whatever stands in the way is said in words.
import { $, $$ } from "./dom.js";

const form = $("[data-push]");
const { pushKey, pushWorker } = form.dataset;
const button = $("[data-push-button]", form);

function problem(key, detail = "") {
  const box = $("[data-push-problem]", form);
  $("[data-push-problem-text]", box).textContent = form.dataset[key].replace("%s", detail);
  box.hidden = false;
}

const apple = () => /iPad|iPhone|iPod/.test(navigator.userAgent) || (navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1);
const installed = () => navigator.standalone === true || matchMedia("(display-mode: standalone)").matches;

// obstacle is what makes subscribing impossible here; "" when nothing does.
function obstacle() {
  if (apple() && !installed()) return "pushIos";
  if (!isSecureContext) return "pushInsecure";
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window) || !pushKey) return "pushUnsupported";
  return Notification.permission === "denied" ? "pushDenied" : "";
}

// bytes reads base64url.
function bytes(text) {
  const raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(raw, (c) => c.charCodeAt(0));
}

// stale reports whether a subscription is bound to another server's key.
function stale(subscription) {
  const key = subscription.options?.applicationServerKey;
  if (!key) return false;
  const [mine, its] = [bytes(pushKey), new Uint8Array(key)];
  return mine.length !== its.length || mine.some((b, i) => b !== its[i]);
}

async function subscribe() {
  const registration = await navigator.serviceWorker.register(pushWorker, { scope: "/", updateViaCache: "none" });
  await navigator.serviceWorker.ready;
  const had = await registration.pushManager.getSubscription();
  if (had && stale(had)) await had.unsubscribe();
  return registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(pushKey) });
}

// thisDevice is what a person would call it: "Firefox on Android".
function thisDevice() {
  const agent = navigator.userAgent;
  const browser = [["Edg/", "Edge"], ["OPR/", "Opera"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]].find(([mark]) => agent.includes(mark))?.[1];
  const system = [["Android", "Android"], ["iPhone", "iPhone"], ["iPad", "iPad"], ["Windows", "Windows"], ["Mac OS", "Mac"], ["CrOS", "ChromeOS"], ["Linux", "Linux"]].find(([mark]) => agent.includes(mark))?.[1];
  return [browser, system].filter(Boolean).join(" · ");
}

const blocked = obstacle();
if (blocked) problem(blocked);
button.disabled = blocked !== "" && blocked !== "pushDenied";
const label = $("[data-push-label]", form);
if (label && !label.value) label.value = thisDevice();

form.addEventListener("submit", async (event) => {
  const field = $("[data-push-subscription]", form);
  if (field.value) return; // subscribed: the form goes to the server
  event.preventDefault();
  $("[data-push-problem]", form).hidden = true;
  const words = button.lastChild;
  const was = words.textContent;
  words.textContent = form.dataset.pushBusy;
  button.disabled = true;
  try {
    if ((await Notification.requestPermission()) !== "granted") return problem("pushDenied");
    field.value = JSON.stringify((await subscribe()).toJSON());
    for (const other of $$("button", form)) other.disabled = false;
    form.requestSubmit();
  } catch (failure) {
    problem("pushFailed", failure.message);
  } finally {
    words.textContent = was;
    button.disabled = false;
  }
});
