package view

// place is an entry of the navigation at the top.
type place struct{ name, href, need string }

func places() []place {
	return []place{
		{"timeline", "/", ""},
		{"incidents", "/incidents", ""},
		{"oncall", "/oncall", ""},
		{"integrations", "/integrations", "integrate"},
		{"settings", "/settings", ""},
	}
}

type helpKey struct {
	keys []string
	what string
}

// helpKeys are what keys.js understands, in the order people need them.
func helpKeys() []helpKey {
	return []helpKey{
		{[]string{"a"}, "ack"}, {[]string{"r"}, "resolve"},
		{[]string{"j", "k"}, "move"}, {[]string{"Enter"}, "open"}, {[]string{"x"}, "select"},
		{[]string{"n"}, "message"}, {[]string{"/"}, "search"}, {[]string{"."}, "present"}, {[]string{"u"}, "unread"},
		{[]string{"g", "t"}, "go_timeline"}, {[]string{"g", "i"}, "go_incidents"},
		{[]string{"Ctrl", "K"}, "jump"}, {[]string{"g", "o"}, "go_oncall"}, {[]string{"g", "s"}, "go_settings"},
		{[]string{"?"}, "help"}, {[]string{"Esc"}, "escape"},
	}
}

func flag(on bool, name string) string {
	if on {
		return name
	}
	return ""
}

// current is the value of aria-current for a link of a navigation.
func current(on bool) string {
	if on {
		return "page"
	}
	return "false"
}

func paneCurrent(p Page, pane string) string {
	return current(p.Nav == "timeline" && p.Pane == pane)
}

func toneIcon(tone string) string {
	switch tone {
	case "critical", "warning", "ok":
		return tone
	}
	return "info"
}

// scriptTexts are the texts our scripts say; %s in them is filled in by the script.
func scriptTexts() map[string]string {
	out := map[string]string{}
	for _, key := range []string{
		"offline", "offline_since", "updating", "conflict", "failed", "forbidden", "signed_out", "network",
		"done.ack", "done.resolve", "done.unack", "done.snooze", "done.reroute", "done.responders",
		"triggered", "new_entries", "new_many", "updated",
	} {
		out[key] = t("script." + key)
	}
	for _, key := range []string{"live.on", "live.off", "live.connecting", "message.sending", "message.failed", "action.open", "action.open_room", "action.sign_in"} {
		out[key] = t(key)
	}
	chatTexts(out)
	return out
}

// wide is for pages whose parts fill the window and scroll by themselves.
func wide(p Page) Page {
	p.Wide = true
	return p
}

// zoneName tells the scripts the zone of the viewer's profile; "" leaves it to the browser.
func zoneName(v Viewer) string {
	if v.Zone == nil {
		return ""
	}
	return v.Zone.String()
}
