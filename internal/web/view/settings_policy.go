package view

import (
	"strconv"
	"strings"
)

// PolicyList is all escalation policies.
type PolicyList struct {
	Page Page
	Rows []PolicyRow
}

// PolicyRow is one policy in the list.
type PolicyRow struct {
	Name    string
	Slug    string
	Href    string
	Team    string
	Steps   int
	Keys    []string
	Default bool
	First   []string // whom its first step would page now
}

// PolicyForm is the editor of one escalation policy; it works as RotationForm does.
type PolicyForm struct {
	Page        Page
	ID          string
	Name        string
	Slug        string
	Team        string // its name
	Teams       []Option
	Steps       []StepForm
	Repeat      string
	RepeatAfter string
	Errors      map[string]string // "name", "0.after", …
	Error       string
	Preview     PolicyPreview
	Keys        []string // routing keys that lead here
	Default     bool
	Zones       []string

	Last        StepForm // the last resort: its targets alone
	Advanced    bool     // something of what follows is not as usual
	AckBy       []Option
	RepageAfter string
	Urgency     []Option
	LowWaits    bool
	Hours       HoursForm
	Ignore      bool
}

func (f PolicyForm) title() string {
	if f.ID == "" {
		return st("policy.new")
	}
	return f.Name
}

func (f PolicyForm) action() string {
	if f.ID == "" {
		return "/settings/policies"
	}
	return "/settings/policies/" + f.ID
}

// StepForm is one step as it was typed.
type StepForm struct {
	Index   int
	Prefix  string // of its fields: "0."
	After   string
	Targets []TargetForm
	Choices []Option // who could be added, in groups

	TellKinds  []Option // what can be told by its name
	TellTo     string
	Notify     []Option
	Severities []Option
	LowWaits   bool
	Hours      HoursForm
	Conditions []string // what is special about the step, in words
}

func (s StepForm) field(name string) string { return s.Prefix + name }

func (s StepForm) do(what string, at ...int) string {
	var do strings.Builder
	do.WriteString(what + ":" + strconv.Itoa(s.Index))
	for _, n := range at {
		do.WriteString(":" + strconv.Itoa(n))
	}
	return do.String()
}

// HoursForm is times of the week, by the clocks of a zone.
type HoursForm struct {
	Prefix  string // of its fields: "0.", "hours."
	Zone    string
	Windows []PagingWindowForm
}

func (s StepForm) title() string { return st("policy.step", s.Index+1) }

// TargetForm is one target of a step; Value is "rotation:…", "user:…", "email:…".
type TargetForm struct{ Value, Label, Kind string }

func (t TargetForm) icon() string {
	switch t.Kind {
	case "rotation", "team", "policy":
		return t.Kind
	case "next", "previous":
		return "rotation"
	case "webhook":
		return "plug"
	case "email":
		return "mail"
	case "room":
		return "chat"
	}
	return "person"
}

// PolicyPreview is who would be paged, and when, if an alert came now.
type PolicyPreview struct {
	Problem string
	Steps   []PreviewStep
	Repeat  string // what happens after the last step
}

// PreviewStep is one step of the preview.
type PreviewStep struct {
	Number  int
	When    string
	People  []PreviewPerson
	Told    []string // addresses, webhooks, rooms
	Skipped bool     // nobody: the step is passed over at once
	Last    bool     // the last resort

	Conditions []string
}

// PreviewPerson is somebody who would be paged.
type PreviewPerson struct {
	Name        string
	Why         string
	Unreachable bool
}

func delayLabel(step int) string {
	if step == 0 {
		return st("policy.after.first")
	}
	return st("policy.after")
}

// dots joins conditions, which have commas of their own.
func dots(parts []string) string { return strings.Join(parts, " · ") }
