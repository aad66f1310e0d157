// The service worker: shows a page as a notification, also when no tab is open
// and the phone is locked, and carries the answer back. It keeps nothing and
// stands between the pages and the server for nothing else.
//
// What comes is webpush.Payload: {title, body, tag, url, token, incident, actions, drill}.
// The server puts `words` in front of this file: what to say, and the icons.

const { icon, badge } = words;
const labels = { acknowledge: words.acknowledge, resolve: words.resolve, open: words.open };

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => event.waitUntil(show(read(event))));

// read never fails: a push that cannot be read is still a page.
function read(event) {
  try {
    return event.data?.json() ?? {};
  } catch {
    return { body: event.data?.text() ?? "" };
  }
}

async function show(page) {
  const answers = (page.actions ?? []).filter((action) => labels[action] && page.token);
  await self.registration.showNotification(page.title || words.brand, {
    body: page.body ?? "",
    tag: page.tag || undefined,
    renotify: Boolean(page.tag), // a later page about the same thing makes noise again
    requireInteraction: Boolean(page.token),
    icon,
    badge,
    timestamp: Date.now(),
    actions: [...answers, "open"].map((action) => ({ action, title: labels[action] })),
    data: { url: page.url, token: page.token, incident: page.incident, title: page.title },
  });
  if (page.token) await tell(page.token, "delivered").catch(() => {}); // it is shown, whether or not that is heard
}

// tell posts what became of a page. It carries a token and no cookie, so it
// works for somebody who is signed out.
function tell(token, action) {
  return fetch("/hooks/push/answer", {
    method: "POST",
    credentials: "omit",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token, action }),
  });
}

self.addEventListener("notificationclick", (event) => {
  const { notification, action } = event;
  notification.close();
  event.waitUntil(action === "acknowledge" || action === "resolve" ? answer(notification, action) : open(notification.data.url));
});

// answer tells what was pressed. Who is not heard is shown the page instead.
async function answer(notification, action) {
  const { url, token, title } = notification.data;
  try {
    const reply = await tell(token, action);
    if (!reply.ok) throw new Error(String(reply.status));
    await self.registration.showNotification(action === "resolve" ? words.resolved : words.acknowledged, {
      body: title ?? "", tag: notification.tag || undefined, silent: true, icon, badge, data: { url },
    });
  } catch {
    await open(url);
  }
}

// open shows the page in a tab that is there already, or in a new one.
async function open(url) {
  const to = new URL(url || "/", self.location.origin);
  if (to.origin !== self.location.origin) to.href = self.location.origin + "/";
  const tabs = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = tabs.find((tab) => new URL(tab.url).pathname === to.pathname) ?? tabs[0];
  if (!there) return self.clients.openWindow(to.href);
  await there.focus();
  if (new URL(there.url).pathname === to.pathname) return there;
  try {
    return await there.navigate(to.href);
  } catch {
    return self.clients.openWindow(to.href); // a tab that this worker does not control
  }
}
