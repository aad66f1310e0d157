package explain

import (
	"slices"

	"github.com/watchroom/watchroom/internal/phrase"
)

// tally counts messages by what became of them.
type tally struct{ left, failed, waiting, unwanted, dropped int }

func (c *tally) count(mine bool, state string) {
	if !mine {
		return
	}
	switch state {
	case "failed", "undelivered":
		c.failed++
	case "pending":
		c.waiting++
	case "cancelled":
		c.dropped++
	default: // sent, and whatever comes after it
		c.left++
	}
}

// verdict is the whole in one sentence: paged or not, and why.
func (t *teller) verdict() string {
	name := t.user.Name
	if t.asked > 0 {
		return t.paged(name)
	}
	switch {
	case t.unreachable:
		return phrase.T("explain.verdict.unreachable", name)
	case t.user.Disabled:
		return phrase.T("explain.verdict.disabled", name)
	case t.over != "" && t.overFirst:
		return phrase.T("explain.verdict.over_first", name, t.over)
	case t.over != "":
		return phrase.T("explain.verdict.over", name, t.over)
	case t.others > 0 && t.exhausted:
		return phrase.T("explain.verdict.not_led_to", name)
	case t.others > 0:
		return phrase.T("explain.verdict.not_yet", name)
	case t.exhausted:
		return phrase.T("explain.verdict.nobody", name)
	case t.waits != "":
		return phrase.T("explain.verdict.waits", name, t.waits)
	}
	return phrase.T("explain.verdict.nothing_yet", name)
}

func (t *teller) paged(name string) string {
	c := t.recorded
	if len(t.fates) > 0 {
		c = tally{}
		for _, f := range t.fates {
			if f.State == "pending" && !t.wanted(f) {
				c.unwanted++
				continue
			}
			c.count(true, f.State)
		}
	}
	switch {
	case c.left > 0:
		return phrase.N("explain.verdict.paged", t.asked, name)
	case c.waiting > 0:
		return phrase.T("explain.verdict.waiting", name)
	case c.unwanted > 0:
		return phrase.T("explain.verdict.unwanted", name, t.over)
	case c.failed > 0:
		return phrase.T("explain.verdict.failed", name)
	case c.dropped > 0:
		return phrase.T("explain.verdict.dropped", name)
	}
	return phrase.T("explain.verdict.no_message", name)
}

// wanted reports whether a message that waits will leave when its turn comes:
// pages of the policy until it is acknowledged, of colleagues until it is resolved.
func (t *teller) wanted(f Fate) bool {
	return t.over == "" || !t.resolved && slices.Contains(t.byHand, f.Entry)
}
