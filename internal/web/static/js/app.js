// The entry point: every page loads it, and each part finds for itself whether
// the page has something for it to do. Without any of this the pages still work.
import { startTheme } from "./theme.js";
import { startTimes } from "./time.js";
import { startUI } from "./ui.js";
import { startPanes } from "./panes.js";
import { startActions } from "./actions.js";
import { startKeys } from "./keys.js";
import { startTimeline } from "./timeline.js";
import { startComposer } from "./composer.js";
import { startLive } from "./live.js";

startTheme();
startTimes();
startUI();
startPanes();
startActions();
const timeline = startTimeline();
startComposer(timeline);
startLive(timeline);
startKeys(timeline);
