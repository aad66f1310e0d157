package permit

import "github.com/watchroom/watchroom/internal/command"

// WantsStepUp reports whether a rule wants the second factor of somebody for a
// command, whether or not they may run it: whoever says yes to it shows it, too.
func (p *Policy) WantsStepUp(d command.Declaration, f Facts) bool {
	if p == nil {
		return false // and nothing is allowed
	}
	f = p.here(f)
	for _, args := range cases(f) {
		l := looking{d: d, f: f, args: args}
		for i := range p.Rules {
			if r := &p.Rules[i]; r.Kind == StepUp {
				if reason := l.counts(r); reason == Matches || reason == Undecidable {
					return true
				}
			}
		}
	}
	return false
}
