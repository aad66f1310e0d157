package bot

import (
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/timeline"
)

// mayStepUp reports whether who gave a line is a person at a browser, who can
// show a second factor there. A token and a robot cannot.
func mayStepUp(o *org.Org, as people.Actor, at place) bool {
	u, ok := o.Users[as.User]
	return ok && !u.Robot && as.Scopes == nil && as.Origin != timeline.API && as.Origin != timeline.Robot && !at.program
}

// wantsStepUp reports whether the rules want the second factor of somebody who
// says yes to a line.
func (j *Judge) wantsStepUp(o *org.Org, p command.Parsed, as people.Actor, at place, now time.Time, past record) (bool, error) {
	policy := j.rules(o)
	f, err := j.facts(policy, o, p, as, at, now, past)
	return err == nil && policy.WantsStepUp(p.Declaration, f), err
}
