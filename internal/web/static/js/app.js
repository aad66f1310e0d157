// The entry point: every page loads it, and each part finds for itself whether
// the page has something for it to do. Without any of this the pages still work.
import { startTheme } from "./theme.js";
import { startTimes } from "./time.js";
import { startUI } from "./ui.js";
import { startPanes } from "./panes.js";
import { startActions } from "./actions.js";
import { startKeys } from "./keys.js";
import { startTimeline } from "./timeline.js";
import { startChat } from "./chat.js";
import { startPanel } from "./panel.js";
import { startComposer } from "./composer.js";
import { startEmoji } from "./emoji.js";
import { startJump } from "./jump.js";
import { startPresence } from "./presence.js";
import { startUnread } from "./unread.js";
import { startLive } from "./live.js";

startTheme();
startTimes();
startUI();
startPanes();
startActions();
const timeline = startTimeline();
startEmoji();
startComposer(timeline);
startChat();
startPanel(timeline);
startJump();
startPresence(timeline);
startUnread(timeline);
startLive(timeline);
startKeys(timeline);
