package bot

import (
	"fmt"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/permit"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Trial is what a line would be, without running it.
type Trial struct {
	Line        string // canonical, secrets masked
	Expanded    string
	Declaration command.Declaration // its ID is "" when the line is no command
	Given       []command.Given
	Broken      string // why it is not understood
	Explanation permit.Explanation
}

func (j *Judge) try(o *org.Org, as people.Actor, in id.Room, line string, now time.Time, past record) (Trial, error) {
	line = command.Normalise(line)
	if sigil := o.Settings.Bot.SigilIn(roomOf(o, in)); sigil != "" {
		line = strings.TrimPrefix(line, sigil)
	}
	parsed, err := j.catalogue.Parse(line, lookup{o, as.User, in, now})
	t := Trial{Line: parsed.Masked, Expanded: parsed.Expanded, Declaration: parsed.Declaration, Given: parsed.Given}
	if err != nil {
		t.Broken = sentence(err)
		return t, nil
	}
	policy := j.rules(o)
	f, err := j.facts(policy, o, parsed, as, place{room: in, via: as.Origin}, now, past)
	if err != nil {
		return t, err
	}
	t.Explanation = policy.Explain(parsed.Declaration, f)
	return t, nil
}

// Text is the trial in words.
func (t Trial) Text() string {
	if t.Broken != "" {
		return t.Broken
	}
	var b strings.Builder
	b.WriteString(phrase.T("bot.try.line", t.Line))
	for _, g := range t.Given {
		fmt.Fprintf(&b, "\n- %s: %s", g.Name, g.Value)
	}
	d := t.Explanation.Decision
	switch {
	case d.StepUp:
		b.WriteString("\n" + phrase.T("bot.try.step_up"))
	case !d.Allowed:
		b.WriteString("\n" + phrase.T("bot.try.refused", d.Why))
	case d.Glass:
		b.WriteString("\n" + phrase.T("bot.try.glass"))
	case d.Approval.Count > 0:
		b.WriteString("\n" + phrase.T("bot.try.approval", d.Approval.Count))
	case d.Confirm:
		b.WriteString("\n" + phrase.T("bot.try.confirm"))
	default:
		b.WriteString("\n" + phrase.T("bot.try.allowed"))
	}
	if d.Rule != "" {
		b.WriteString("\n" + phrase.T("bot.try.rule", d.Rule))
	}
	for _, l := range t.Explanation.Looked {
		mark := "·"
		if l.Counts {
			mark = "→"
		}
		fmt.Fprintf(&b, "\n%s `%s`: %s", mark, l.Rule.String(), l.Why)
	}
	return b.String()
}
