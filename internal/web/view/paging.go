package view

import (
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/phrase"
)

// gt reads the catalogue's "paging_web" area.
func gt(key string, args ...any) string { return phrase.T("paging_web."+key, args...) }

// PagingForm is the editor of one person's rules of being paged; it works as
// RotationForm does. Without rules it says what happens then.
type PagingForm struct {
	Page      Page
	Whose     Whose
	Stored    bool // there are rules that could be taken away
	Rules     []PagingRuleForm
	Errors    map[string]string // "0.name", "0.s1.after", …
	Error     string
	Preview   PagingPreview
	PreviewAt string // as an input for local times has it; "" for now
	Urgencies []Option
	Reminders []Option
	Nothing   bool // there is no contact method at all
}

func (f PagingForm) action() string { return f.Whose.base() + "/paging" }

// PagingRuleForm is one rule as it was typed.
type PagingRuleForm struct {
	Index    int
	Last     bool
	Name     string
	Urgency  []Option
	Windows  []PagingWindowForm
	Steps    []PagingStepForm
	Again    string
	Wait     string // a time of day that the first step waits for; "" for none
	WaitDays []Option
	Summary  string // the rule in plain words; "" while it makes no sense
}

func (r PagingRuleForm) field(name string) string { return strconv.Itoa(r.Index) + "." + name }

func (r PagingRuleForm) do(what string, at ...int) string {
	var do strings.Builder
	do.WriteString(what + ":" + strconv.Itoa(r.Index))
	for _, n := range at {
		do.WriteString(":" + strconv.Itoa(n))
	}
	return do.String()
}

func (r PagingRuleForm) title() string {
	if r.Name != "" {
		return r.Name
	}
	return gt("rule", r.Index+1)
}

// PagingWindowForm is a time of the week.
type PagingWindowForm struct {
	Index    int
	Name     string // of its fields: "0.w1."
	Days     []Option
	From, To string
}

// PagingStepForm is what happens together.
type PagingStepForm struct {
	Index   int
	Name    string // of its fields: "0.s1."
	After   string
	Choices []Option // contact methods and kinds of them
}

func (s PagingStepForm) delayLabel() string {
	if s.Index == 0 {
		return gt("after.first")
	}
	return gt("after")
}

// PagingPreview is what would happen to a person, if they were paged.
type PagingPreview struct {
	Problem  string
	Reason   string // why these methods
	Attempts []PagingAttempt
	Again    string
	Skipped  []string // sentences
}

// PagingAttempt is one message that would be sent.
type PagingAttempt struct {
	Method string
	Kind   string
	To     string
	When   string // "at once", "after 2 minutes"
	At     time.Time
}

func addTime(r PagingRuleForm) string {
	if len(r.Windows) == 0 {
		return gt("when.add")
	}
	return gt("when.more")
}
