package view

import "github.com/a-h/templ"

// Button describes a button, or a link that looks like one when Href is set.
type Button struct {
	Label string
	Icon  string // before the label; see Icon
	Look  string // "", "primary", "danger", "ok", "ghost"
	Type  string // "" means submit
	Name  string
	Value string
	Href  string
	Small bool
	Large bool
	Block bool // as wide as its place
	Bare  bool // shows the icon alone; the label is read aloud
	Attrs templ.Attributes
}

func (b Button) class() string {
	return classes("btn", prefixed("btn-", b.Look), flag(b.Small, "btn-s"), flag(b.Large, "btn-l"),
		flag(b.Block, "btn-block"), flag(b.Bare, "btn-icon"))
}

func (b Button) kind() string {
	if b.Type == "" {
		return "submit"
	}
	return b.Type
}

// Field describes one labelled input of a form. Its id is "f-"+Name unless ID is set.
type Field struct {
	Name         string
	ID           string
	Label        string
	Hint         string
	Error        string // shown below and announced; the browser's own checks stay as they are
	Type         string // "" means text
	Value        string
	Placeholder  string
	Autocomplete string
	Required     bool
	Optional     bool // says so beside the label
	Autofocus    bool
	ReadOnly     bool
	Rows         int // text areas
	Attrs        templ.Attributes
}

func (f Field) id() string {
	if f.ID != "" {
		return f.ID
	}
	return "f-" + f.Name
}

func (f Field) kind() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

// described names the elements that explain the field.
func (f Field) described() string {
	return classes(flag(f.Hint != "", f.id()+"-hint"), flag(f.Error != "", f.id()+"-error"))
}

// Option is one choice of a Select, a group of radio buttons or of tick boxes.
type Option struct {
	Value    string
	Label    string
	Hint     string
	Group    string // Select: consecutive options of the same group stand together
	Selected bool
	Disabled bool
}

// Tab is one of several views of the same thing.
type Tab struct {
	Label   string
	Href    string
	Count   int // shown when Counted
	Counted bool
	Tone    string // of the count
	Current bool
}

// SideGroup is a titled part of the list of places beside a settings page.
type SideGroup struct {
	Title string
	Links []SideLink
}

// SideLink is one place.
type SideLink struct {
	Label, Href, Icon string
	Current           bool
}

// optionGroups cuts options where the group changes.
func optionGroups(options []Option) [][]Option {
	var out [][]Option
	for i, o := range options {
		if i == 0 || options[i-1].Group != o.Group {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], o)
	}
	return out
}

// severityTone maps a severity to the tone it is shown in.
func severityTone(severity string) string {
	switch severity {
	case "critical", "warning", "info":
		return severity
	case "recovery":
		return "ok"
	}
	return "muted"
}

func severityIcon(severity string) string {
	switch severity {
	case "critical", "warning", "info":
		return severity
	case "recovery":
		return "ok"
	case "acknowledgement":
		return "eye"
	}
	return "info"
}

func stateTone(state string) string {
	switch state {
	case "triggered":
		return "critical"
	case "acknowledged":
		return "warning"
	case "resolved":
		return "ok"
	}
	return "muted"
}

func stateIcon(state string) string {
	switch state {
	case "triggered":
		return "bell"
	case "acknowledged":
		return "eye"
	case "resolved":
		return "resolve"
	}
	return "info"
}

// noticeRole makes a bad notice speak up by itself.
func noticeRole(tone string) string {
	if tone == "critical" || tone == "warning" {
		return "alert"
	}
	return "status"
}
