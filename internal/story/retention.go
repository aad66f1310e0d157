package story

import (
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/timeline"
)

// kept tells what retention has removed; nil for anything else.
func (w words) kept() []Part {
	p, ok := w.entry.Payload.(timeline.Removal)
	if !ok {
		return nil
	}
	var list []Part
	counts := []struct {
		key string
		n   int
	}{
		{"messages", p.Messages}, {"incidents", p.Incidents}, {"files", p.Files}, {"entries", p.Entries}, {"alerts", p.Alerts},
		{"deliveries", p.Deliveries}, {"outputs", p.Outputs}, {"commands", p.Commands}, {"events", p.Events},
	}
	for _, c := range counts {
		if c.n > 0 {
			list = append(list, Part{Kind: Text, Text: phrase.N("story.records_removed."+c.key, c.n)})
		}
	}
	if len(list) == 0 {
		list = text(phrase.T("story.records_removed.nothing"))
	}
	return w.say("records_removed", listed(list))
}

// listed puts "and" before the last of several, and commas between the others.
func listed(list []Part) []Part {
	var out []Part
	for i, p := range list {
		switch {
		case i == 0:
		case i == len(list)-1:
			out = append(out, text(phrase.T("story.and"))...)
		default:
			out = append(out, text(phrase.T("story.comma"))...)
		}
		out = append(out, p)
	}
	return out
}
