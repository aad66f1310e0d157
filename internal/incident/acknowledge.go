package incident

import (
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/timeline"
)

// The rules of acknowledgement:
//
//   - One is enough, unless the policy wants everybody whom the running step
//     paged. Then the incident stays triggered until the last of them did;
//     whoever did is paged no more, by this step and all later ones.
//   - Somebody who was not asked may acknowledge, too: it is recorded and
//     counts for nobody else. Who is disabled or gone is not waited for.
//   - An acknowledgement that names no person, such as the sender's, and a
//     snooze count for everybody.
//   - Where the policy sets a time, an acknowledgement expires after it and the
//     policy starts again. Who has the incident may acknowledge again before,
//     and the time starts anew.

func (d *decider) acknowledge(by timeline.Actor, message string) {
	inc := &d.Incident
	switch inc.State {
	case Acknowledged:
		d.acknowledgeAgain(by, message)
	case Resolved:
		d.because(ReasonAlreadyResolved)
	case Triggered:
		if d.facts.Policy.AckBy != escalation.AckByAll || by.User == "" {
			d.acknowledged(by, timeline.Acknowledged{Message: message})
			return
		}
		known := inc.acked(by.User)
		acks := inc.Acks
		if !known {
			acks = append(slices.Clip(acks), by)
		}
		waiting, of := d.waiting(acks)
		switch {
		case len(waiting) == 0:
			inc.Acks = acks
			d.acknowledged(by, timeline.Acknowledged{Message: message, Acked: of, Of: of})
		case known:
			d.because(ReasonAskedAlready)
		default:
			inc.Acks = acks
			d.changed(ReasonAcknowledgedInPart)
			d.entry(by, timeline.PartAcknowledged{Message: message, Acked: of - len(waiting), Of: of, Waiting: waiting})
		}
	}
}

// waiting are those who were asked and have not acknowledged, of how many who
// were asked or did; whoever is gone is neither.
func (d *decider) waiting(acks []timeline.Actor) (waiting []id.User, of int) {
	of = len(acks)
	for _, u := range d.Incident.Asked {
		did := slices.ContainsFunc(acks, func(a timeline.Actor) bool { return a.User == u })
		if !did && (d.facts.Gone == nil || !d.facts.Gone(u)) {
			waiting = append(waiting, u)
		}
	}
	return waiting, of + len(waiting)
}

// settled acknowledges when those who were still waited for are gone: nobody
// can be asked any more, and somebody has it.
func (d *decider) settled() bool {
	inc := &d.Incident
	if len(inc.Asked) == 0 || len(inc.Acks) == 0 {
		return false
	}
	waiting, of := d.waiting(inc.Acks)
	if len(waiting) > 0 {
		return false
	}
	d.acknowledged(inc.Acks[len(inc.Acks)-1], timeline.Acknowledged{Message: phrase.T("escalation.others_gone"), Acked: of, Of: of})
	return true
}

// acknowledged ends the paging.
func (d *decider) acknowledged(by timeline.Actor, told timeline.Acknowledged) {
	d.changed(ReasonAcknowledged)
	d.quiet()
	d.Incident.State, d.Incident.AckedBy, d.Incident.AckedAt = Acknowledged, by, d.now
	told.Until = d.expires()
	d.entry(by, told)
}

// acknowledgeAgain restarts the time of whoever has the incident.
func (d *decider) acknowledgeAgain(by timeline.Actor, message string) {
	if d.Incident.AckUntil.IsZero() || by.User == "" || by.User != d.Incident.AckedBy.User {
		d.because(ReasonAlreadyAcknowledged)
		return
	}
	d.changed(ReasonAckRestarted)
	d.Incident.AckedBy, d.Incident.AckedAt = by, d.now
	d.entry(by, timeline.Acknowledged{Message: message, Until: d.expires()})
}

// expires sets when the acknowledgement ends; zero when it does not.
func (d *decider) expires() time.Time {
	if after := d.facts.Policy.RepageAfter.D(); after > 0 {
		d.Incident.AckUntil = d.now.Add(after)
		d.timer(AckTimer, d.Incident.AckUntil)
	}
	return d.Incident.AckUntil
}

func (d *decider) ackDue() {
	inc := &d.Incident
	if inc.State != Acknowledged || inc.AckUntil.IsZero() || inc.AckUntil.After(d.now) {
		d.because(ReasonNotDue)
		return
	}
	d.changed(ReasonAckExpired)
	d.about(timeline.Self, inc.AckedBy.User, timeline.AckLapsed{User: inc.AckedBy.User, Name: inc.AckedBy.Name, Since: inc.AckedAt})
	d.trigger()
}
