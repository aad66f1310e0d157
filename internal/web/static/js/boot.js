// Runs before the first paint, so that neither colours nor panes jump. It is an
// ordinary script on purpose: modules wait for the document.
(() => {
  const root = document.documentElement;
  root.dataset.script = "";
  try {
    const theme = localStorage.getItem("watchroom.theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else if (theme === "auto") delete root.dataset.theme;
    for (const pane of ["people", "incidents"]) {
      if (localStorage.getItem(`watchroom.hide.${pane}`) === "1") root.dataset[pane === "people" ? "hidePeople" : "hideIncidents"] = "";
    }
  } catch {
    // storage may be forbidden; then the system's colours are used
  }
})();
