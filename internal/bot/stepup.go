package bot

import (
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/timeline"
)

// noStepUp is the phrase that says why who gave a line cannot be asked for their
// second factor; "": they are a person, who can show it in a browser. A schedule
// that was made before a rule asked for it runs when nobody is there.
func noStepUp(o *org.Org, as people.Actor, at place) string {
	u, ok := o.Users[as.User]
	switch {
	case !ok, u.Robot, as.ByProgram(), at.program:
		return "permit.step_up_program"
	case at.via == timeline.System:
		return "permit.step_up_schedule"
	}
	return ""
}
