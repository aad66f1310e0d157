package watch

import (
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
)

const (
	digestCursor = "watch/digest"
	mailedCursor = "watch/mailed"
	urgentPrefix = "watch/urgent/"

	digestEvery = 24 * time.Hour
	urgentAhead = 24 * time.Hour // a gap that begins within it is not for the next digest
	digestLife  = 20 * time.Hour // a later mail tells of a day that is over
)

// tellAdmins plans the mails of a pass: a digest of all problems when there is
// one that was in none yet, once a day at most; and at once what cannot wait for
// the next digest. Each problem is in as few mails as that allows.
func (w *Watch) tellAdmins(p *pass) error {
	now := p.tx.Now
	last, mailed := instant(p.m.cursors[digestCursor]), p.m.cursors[mailedCursor]
	unmailed := slices.ContainsFunc(p.risks, func(r org.Risk) bool { return p.since[r.ID] > mailed })
	var urgent []org.Risk
	for _, r := range p.risks {
		if p.urgent(r) {
			urgent = append(urgent, r)
		}
	}
	if unmailed && now.Sub(last) >= digestEvery {
		p.cursors[digestCursor], p.cursors[mailedCursor] = micros(now), p.last
		return w.mailRisks(p.tx, p.risks, "watch.digest.subject", "watch.digest.line")
	}
	if len(urgent) > 0 {
		return w.mailRisks(p.tx, urgent, "watch.urgent.subject", "watch.urgent.line")
	}
	return nil
}

// urgent reports whether a problem cannot wait: somebody could look for help
// within a day and find nobody. A gap that comes nearer is urgent once for each
// beginning; what is known to recur, outside of the hours of a rota, never is.
func (p *pass) urgent(r org.Risk) bool {
	now := p.tx.Now
	if r.Start.After(now.Add(urgentAhead)) {
		return false
	}
	switch r.Kind {
	case org.NobodyRisk, org.AbsentRisk:
		return p.isNew(r)
	case org.GapRisk:
	default:
		return false
	}
	if !r.Start.After(now) { // it has begun: its beginning was told, unless it came up just now
		return p.isNew(r)
	}
	key, start := urgentPrefix+r.ID, id.Seq(r.Start.Unix())
	if p.m.cursors[key] == start {
		return false
	}
	p.cursors[key] = start
	return true
}

// mailRisks sends each administrator one mail with what concerns them.
func (w *Watch) mailRisks(tx *store.Tx, risks []org.Risk, subject, line string) error {
	about := map[id.User][]org.Risk{}
	for _, r := range risks {
		for _, u := range adminsOf(tx.Org, r.Team) {
			about[u] = append(about[u], r)
		}
	}
	for _, reader := range org.Sorted(tx.Org.Users, func(u people.User) string { return string(u.ID) }) {
		mine := about[reader.ID]
		if len(mine) == 0 {
			continue
		}
		lines := []string{phrase.T(line)}
		for _, r := range mine {
			lines = append(lines, sentence(r, reader, tx.Now))
		}
		if err := w.mail(tx, reader, phrase.N(subject, len(mine), mine[0].Object), lines, tx.Now.Add(digestLife)); err != nil {
			return err
		}
	}
	return nil
}

// adminsOf are the administrators who are members of a team; all of them when it
// has none.
func adminsOf(o *org.Org, team id.Team) []id.User {
	var all, members []id.User
	for _, u := range o.Users {
		if u.Role != people.Admin || u.Disabled {
			continue
		}
		all = append(all, u.ID)
		if slices.Contains(o.Teams[team].Members, u.ID) {
			members = append(members, u.ID)
		}
	}
	if len(members) > 0 {
		return members
	}
	return all
}

func sentence(r org.Risk, reader people.User, now time.Time) string {
	switch {
	case !r.Start.After(now) && r.End.IsZero():
		return phrase.T("watch.risk", r.Object, r.Text)
	case !r.Start.After(now):
		return phrase.T("watch.risk.until", r.Object, r.Text, when(r.End, reader))
	case r.End.IsZero():
		return phrase.T("watch.risk.from", r.Object, r.Text, when(r.Start, reader))
	}
	return phrase.T("watch.risk.period", r.Object, r.Text, when(r.Start, reader), when(r.End, reader))
}
