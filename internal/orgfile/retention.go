package orgfile

import (
	"strconv"
	"strings"

	"github.com/watchroom/watchroom/internal/org"
)

// retention reads for how many days each class is kept; one that is absent is
// kept for ever.
func (p *parser) retention(f fields) *org.Retention {
	var r org.Retention
	var classes []string
	for _, c := range r.Classes() {
		classes = append(classes, c.Name)
	}
	for _, pair := range p.mapping(f, "retention") {
		days, err := strconv.Atoi(pair.Value.Text)
		switch {
		case err != nil || days < 0 || days > org.MostDays:
			p.say(pair.At, "retention: %s: %q is not a number of days from 0, which is for ever, to %d", pair.Key, pair.Value.Text, org.MostDays)
		case !r.Set(pair.Key, days):
			p.say(pair.At, "retention: there is no %q; there are %s", pair.Key, strings.Join(classes, ", "))
		}
	}
	return &r
}

func retentionFields(r *org.Retention) any {
	if r == nil {
		return nil
	}
	var o object
	for _, c := range r.Classes() {
		if c.Days > 0 {
			o = append(o, field{c.Name, scalar(strconv.Itoa(c.Days))})
		}
	}
	return oneLine(o)
}
