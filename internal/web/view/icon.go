package view

// icons are drawn on a 24×24 grid with a line of 1.8; the markup is ours and constant.
func iconPath(name string) string {
	switch name {
	case "timeline":
		return `<path d="M4 6h2M4 12h2M4 18h2M9.5 6H20M9.5 12H20M9.5 18H16"/>`
	case "incident", "bell":
		return `<path d="M6 10a6 6 0 1 1 12 0c0 5 2 6 2 7H4c0-1 2-2 2-7zM10 20.5a2.2 2.2 0 0 0 4 0"/>`
	case "people":
		return `<circle cx="9" cy="8.5" r="3.5"/><path d="M2.5 20c.4-3.8 3-6 6.5-6s6.1 2.2 6.5 6M15.5 5.3a3.5 3.5 0 0 1 0 6.4M18 14.6c2 .8 3.2 2.7 3.5 5.4"/>`
	case "person":
		return `<circle cx="12" cy="8" r="4"/><path d="M4.5 20.5c.5-4 3.5-6.5 7.5-6.5s7 2.5 7.5 6.5"/>`
	case "oncall":
		return `<rect x="3.5" y="5" width="17" height="15.5" rx="2.5"/><path d="M3.5 10h17M8 3v4M16 3v4M12 13v3l2 1.2"/>`
	case "calendar":
		return `<rect x="3.5" y="5" width="17" height="15.5" rx="2.5"/><path d="M3.5 10h17M8 3v4M16 3v4"/>`
	case "plug":
		return `<path d="M9 3v5M15 3v5M6.5 8h11v3.5a5.5 5.5 0 0 1-11 0zM12 17v4"/>`
	case "settings":
		return `<path d="M4 7h9M17.5 7H20M4 17h3M11.5 17H20"/><circle cx="15.2" cy="7" r="2.3"/><circle cx="9.2" cy="17" r="2.3"/>`
	case "search":
		return `<circle cx="11" cy="11" r="6.5"/><path d="m16 16 4.5 4.5"/>`
	case "menu":
		return `<path d="M4 7h16M4 12h16M4 17h16"/>`
	case "more":
		return `<path d="M5.5 12h.01M12 12h.01M18.5 12h.01" stroke-width="3"/>`
	case "plus":
		return `<path d="M12 5v14M5 12h14"/>`
	case "close":
		return `<path d="M6 6l12 12M18 6 6 18"/>`
	case "check":
		return `<path d="m5 12.5 4.5 4.5L19 7.5"/>`
	case "resolve":
		return `<circle cx="12" cy="12" r="8.5"/><path d="m8.3 12.3 2.6 2.6 4.9-5.3"/>`
	case "undo":
		return `<path d="M8.5 5 4.5 9l4 4M5 9h9a5.5 5.5 0 0 1 0 11h-3"/>`
	case "snooze", "clock":
		return `<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5.3l3.3 2"/>`
	case "reroute":
		return `<path d="M4 18c0-6 3-9 8-9h8M16 5l4 4-4 4"/>`
	case "add-person":
		return `<circle cx="10" cy="8" r="4"/><path d="M3 20.5c.5-4 3.2-6.5 7-6.5 1.6 0 3 .4 4.1 1.2M18 14v6M15 17h6"/>`
	case "note":
		return `<path d="M5 4h14v11l-5 5H5zM14 20v-5h5M8.5 8.5h7M8.5 12h5"/>`
	case "chat":
		return `<path d="M4 5.5h16v11h-8.5L7 20.5v-4H4z"/>`
	case "send":
		return `<path d="M4 12 20 4l-5 16-3.5-6.5zM11.5 13.5 20 4"/>`
	case "mail":
		return `<rect x="3.5" y="5.5" width="17" height="13" rx="2"/><path d="m4 7 8 6.5L20 7"/>`
	case "page":
		return `<path d="M3.5 9.5v5h3.5l6 4.5V5L7 9.5zM16.5 9a4.5 4.5 0 0 1 0 6M18.8 6.5a8 8 0 0 1 0 11"/>`
	case "page-failed":
		return `<path d="M3.5 9.5v5h3.5l6 4.5V5L7 9.5zM16.5 9.5l5 5M21.5 9.5l-5 5"/>`
	case "retry":
		return `<path d="M19.5 12a7.5 7.5 0 1 1-2.3-5.4M19.5 3.5v4.2h-4.2"/>`
	case "skip":
		return `<path d="M5 6l8 6-8 6zM18 6v12"/>`
	case "stairs", "policy":
		return `<path d="M3.5 19.5h5v-5h5.5v-5h6.5M17 6l3.5 3.5L17 13"/>`
	case "critical":
		return `<path d="M8.2 3.5h7.6l4.7 4.7v7.6l-4.7 4.7H8.2l-4.7-4.7V8.2zM12 7.8v5M12 16.2h.01"/>`
	case "warning":
		return `<path d="M12 4 2.8 19.5h18.4zM12 10v4.5M12 17h.01"/>`
	case "info":
		return `<circle cx="12" cy="12" r="8.5"/><path d="M12 11.2V16M12 8h.01"/>`
	case "ok":
		return `<circle cx="12" cy="12" r="8.5"/><path d="m8.3 12.3 2.6 2.6 4.9-5.3"/>`
	case "eye":
		return `<path d="M2.5 12C5 7.5 8.2 5.5 12 5.5s7 2 9.5 6.5c-2.5 4.5-5.7 6.5-9.5 6.5s-7-2-9.5-6.5z"/><circle cx="12" cy="12" r="2.8"/>`
	case "change", "edit":
		return `<path d="M4 20l1-4.5L16 4.5l3.5 3.5-11 11zM13.5 7l3.5 3.5"/>`
	case "trash":
		return `<path d="M4.5 7h15M9 7V4.5h6V7M6.5 7l1 13h9l1-13M10 11v5M14 11v5"/>`
	case "copy":
		return `<rect x="8.5" y="8.5" width="11.5" height="11.5" rx="2"/><path d="M15.5 8.5V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v7.5a2 2 0 0 0 2 2h2.5"/>`
	case "link":
		return `<path d="M10 14a4 4 0 0 0 5.7 0l3.3-3.3a4 4 0 0 0-5.7-5.7L12 6.3M14 10a4 4 0 0 0-5.7 0L5 13.3A4 4 0 0 0 10.7 19l1.3-1.3"/>`
	case "image":
		return `<rect x="3.5" y="4.5" width="17" height="15" rx="2"/><circle cx="9" cy="10" r="1.6"/><path d="m4 17.5 5-4 3.5 2.5 3-2.5 4.5 3.5"/>`
	case "external":
		return `<path d="M13.5 4.5h6v6M19.5 4.5 11 13M17 14v5.5H4.5V7H10"/>`
	case "down":
		return `<path d="m6 9.5 6 6 6-6"/>`
	case "up":
		return `<path d="m6 14.5 6-6 6 6"/>`
	case "right":
		return `<path d="m9.5 6 6 6-6 6"/>`
	case "left":
		return `<path d="m14.5 6-6 6 6 6"/>`
	case "present":
		return `<path d="M12 4v13M6 11.5l6 6 6-6M5 21h14"/>`
	case "sun":
		return `<circle cx="12" cy="12" r="4"/><path d="M12 2.5v2.2M12 19.3v2.2M2.5 12h2.2M19.3 12h2.2M5.3 5.3l1.5 1.5M17.2 17.2l1.5 1.5M18.7 5.3l-1.5 1.5M6.8 17.2l-1.5 1.5"/>`
	case "moon":
		return `<path d="M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z"/>`
	case "system":
		return `<rect x="3.5" y="4.5" width="17" height="11.5" rx="2"/><path d="M8.5 20h7M12 16v4"/>`
	case "help":
		return `<circle cx="12" cy="12" r="8.5"/><path d="M9.5 9.6c.2-1.4 1.2-2.3 2.6-2.3 1.5 0 2.6.9 2.6 2.3 0 1.9-2.6 2.1-2.6 4M12 16.7h.01"/>`
	case "logout":
		return `<path d="M10 4.5H5v15h5M14 8l4 4-4 4M18 12H9.5"/>`
	case "team":
		return `<circle cx="12" cy="7.5" r="3"/><circle cx="5" cy="10.5" r="2.2"/><circle cx="19" cy="10.5" r="2.2"/><path d="M6.8 19.5c.3-3.3 2.3-5.5 5.2-5.5s4.9 2.2 5.2 5.5M2 18c.1-2 1.2-3.3 3-3.3M22 18c-.1-2-1.2-3.3-3-3.3"/>`
	case "rotation":
		return `<path d="M4.5 12a7.5 7.5 0 0 1 12.9-5.2L19.5 9M19.5 4.5V9H15M19.5 12a7.5 7.5 0 0 1-12.9 5.2L4.5 15M4.5 19.5V15H9"/>`
	case "route":
		return `<circle cx="5.5" cy="18" r="2"/><circle cx="18.5" cy="6" r="2"/><path d="M7.5 18H15a3 3 0 0 0 0-6H9a3 3 0 0 1 0-6h7.5"/>`
	case "token":
		return `<circle cx="8" cy="15" r="4.5"/><path d="m11.3 11.7 8.2-8.2M16 7l3 3M13.5 9.5l2 2"/>`
	case "shield":
		return `<path d="M12 3 4.5 6v5.5c0 4.5 3 8 7.5 9.5 4.5-1.5 7.5-5 7.5-9.5V6z"/>`
	case "org":
		return `<path d="M4 20.5V6l8-3v17.5M12 9l8 3v8.5M2.5 20.5h19M7.5 9h1M7.5 13h1M7.5 17h1M16 14h.01M16 17.5h.01"/>`
	case "audit", "list":
		return `<path d="M6 3.5h9l4 4v13H6zM14.5 3.5V8H19M9 12h7M9 16h5"/>`
	case "inbox":
		return `<path d="M4 13.5 6.5 5h11l2.5 8.5V19H4zM4 13.5h4.5l1.5 2.5h4l1.5-2.5H20"/>`
	case "lantern", "tower":
		return `<path d="M8.5 8.5h7v4h-7zM7 8.5 12 4l5 4.5M7 12.5h10M9 12.5 7.5 20.5h9L15 12.5M3.5 6.5l1.5.8M20.5 6.5l-1.5.8"/>`
	case "offline":
		return `<path d="M3 3l18 18M8.5 16.5a5 5 0 0 1 6.5-.5M5.5 13a9 9 0 0 1 4.5-2.4M2.5 9.5A13 13 0 0 1 7 6.8M11 6a13 13 0 0 1 10.5 3.5M15.5 11.5a9 9 0 0 1 3 1.5M12 20h.01"/>`
	case "filter":
		return `<path d="M4 5.5h16l-6 7.5v6l-4-2v-4z"/>`
	case "panes":
		return `<rect x="3.5" y="5" width="17" height="14" rx="2"/><path d="M9 5v14M15 5v14"/>`
	case "hash":
		return `<path d="M9.5 4 7.5 20M16.5 4l-2 16M4.5 9h16M3.5 15h16"/>`
	case "lock":
		return `<rect x="5" y="10.5" width="14" height="10" rx="2"/><path d="M8 10.5V8a4 4 0 0 1 8 0v2.5"/>`
	case "smile":
		return `<circle cx="12" cy="12" r="8.5"/><path d="M8.5 14c.8 1.4 2 2.1 3.5 2.1s2.7-.7 3.5-2.1M9 9.5h.01M15 9.5h.01"/>`
	case "reply":
		return `<path d="M4 5.5h16v11h-8.5L7 20.5v-4H4zM8.5 9.5h7M8.5 12.5h4.5"/>`
	case "quote":
		return `<path d="M10 7H5v6h4c0 2-1 3.3-3.5 4M19.5 7h-5v6h4c0 2-1 3.3-3.5 4"/>`
	case "pin":
		return `<path d="M9 3.5h6l-1 6 3.5 3.5v1.5h-11V13L10 9.5zM12 14.5v6"/>`
	case "file":
		return `<path d="M6 3.5h8l4.5 4.5v12.5H6zM14 3.5V8h4.5"/>`
	case "text":
		return `<path d="M4.5 19 10 5h1.5L17 19M6.6 14h8.3M19 12v7M16.5 15.5h5"/>`
	case "robot":
		return `<rect x="4.5" y="8" width="15" height="11" rx="3"/><path d="M12 8V4M9 13h.01M15 13h.01M9.5 16h5M2.5 12v4M21.5 12v4"/><circle cx="12" cy="3.8" r="1"/>`
	case "pulse":
		return `<path d="M3 12h4l2.5-6.5 5 13 2.5-6.5h4"/>`
	case "archive":
		return `<path d="M3.5 5h17v4h-17zM5.5 9v10.5h13V9M10 13h4"/>`
	case "test":
		return `<path d="M13 3 5.5 13.5H12L11 21l7.5-10.5H12z"/>`
	}
	return `<circle cx="12" cy="12" r="3"/>`
}
