// A desktop notification and a sound when an incident triggers; both are off
// until somebody switches them on in this browser.
import { $$, parse, recall, remember, say, toast } from "./dom.js";

let audio;

export function startAlerting() {
  for (const box of $$("[data-setting]")) {
    const name = box.dataset.setting;
    box.checked = recall(name) === "1";
    box.addEventListener("change", async () => {
      if (box.checked && name === "notify" && !(await permitted())) box.checked = false;
      if (box.checked && name === "sound") beep();
      remember(name, box.checked ? "1" : null);
    });
  }
}

async function permitted() {
  if (!("Notification" in window)) return false;
  return Notification.permission === "granted" || (await Notification.requestPermission()) === "granted";
}

// beep is two short tones, made here so that no sound file is needed.
function beep() {
  audio ??= new AudioContext();
  for (const [i, pitch] of [880, 660].entries()) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const at = audio.currentTime + i * 0.18;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.25, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.16);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.17);
  }
}

// alertPerson tells about an incident that has just triggered.
export function alertPerson({ number, html }) {
  const title = parse(html ?? "").querySelector(".icard-title")?.textContent.trim() ?? "";
  const text = say("triggered", number, title);
  if (recall("sound") === "1") beep();
  if (document.hidden && recall("notify") === "1" && "Notification" in window && Notification.permission === "granted") {
    const note = new Notification(text, { tag: `incident-${number}` });
    note.onclick = () => {
      window.focus();
      location.href = `/incidents/${number}`;
    };
  } else if (!document.hidden) {
    const pane = document.querySelector(".pane-incidents");
    if (!pane || pane.clientHeight === 0) toast("critical", text, { href: `/incidents/${number}`, text: say("action.open") });
  }
}
alertPerson.wanted = () => recall("notify") === "1" || recall("sound") === "1";
