package story

import (
	"time"

	"github.com/watchroom/watchroom/internal/timeline"
)

// duty tells who is on call; nil for anything else.
func (w words) duty() []Part {
	switch p := w.entry.Payload.(type) {
	case timeline.Shift:
		return w.shift(p)
	case timeline.Taken:
		return w.cover("on_call_taken", timeline.Cover(p))
	case timeline.HandedBack:
		return w.cover("on_call_handed_back", timeline.Cover(p))
	case timeline.Overridden:
		return w.cover("override_added", timeline.Cover(p))
	case timeline.OverrideGone:
		return w.cover("override_removed", timeline.Cover(p))
	case timeline.Swap:
		return w.say("swap_asked", w.person(p.From, p.FromName), w.person(p.To, p.ToName), subject(p.RotationName), w.period(p.Start, p.End))
	case timeline.SwapAnswer:
		key := "swap_answered.no"
		if p.Accepted {
			key = "swap_answered.yes"
		}
		return w.say(key, w.person(p.From, p.FromName), w.person(p.To, p.ToName), subject(p.RotationName), w.period(p.Start, p.End))
	case timeline.Absence:
		return w.say("absence_added", w.person(p.User, p.Name), w.period(p.Start, p.End))
	case timeline.AbsenceGone:
		return w.say("absence_removed", w.person(p.User, p.Name), w.period(p.Start, p.End))
	case timeline.Uncovered:
		if p.Start.IsZero() {
			return w.say("coverage_problem", subject(p.Object), text(p.Text))
		}
		return w.say("coverage_problem.period", subject(p.Object), text(p.Text), w.period(p.Start, p.End))
	case timeline.Covered:
		return w.say("coverage_restored", subject(p.Object), text(p.Text))
	}
	return nil
}

func (w words) shift(p timeline.Shift) []Part {
	key := "shift_changed"
	switch {
	case p.To == "":
		key += ".nobody"
	case p.From == "":
		key += ".first"
	}
	if p.Override {
		key += ".override"
	}
	return w.say(key, subject(p.RotationName), w.person(p.To, p.ToName), w.person(p.From, p.FromName))
}

// cover tells of somebody in somebody's place; without a person it fills a gap.
func (w words) cover(key string, p timeline.Cover) []Part {
	pieces := [][]Part{w.person(p.By, p.ByName), subject(p.RotationName), w.person(p.User, p.Name), w.period(p.Start, p.End)}
	by := w.entry.Actor.User
	switch {
	case p.User == "":
		return w.say(key+".gap", pieces...)
	case key == "on_call_handed_back" && by != "" && by == p.User && by != p.By: // asked for by whose duty it is
		return w.say(key+".fetched", pieces...)
	}
	return w.say(key, pieces...)
}

func (w words) period(from, to time.Time) []Part {
	if to.IsZero() {
		return w.say("period.open", w.when(from))
	}
	return w.say("period", w.when(from), w.when(to))
}

// watch tells of maintenance, heartbeats and drills; nil for anything else.
func (w words) watch() []Part {
	switch p := w.entry.Payload.(type) {
	case timeline.Maintenance:
		if p.Until.IsZero() {
			return w.say("maintenance_started", subject(p.Name))
		}
		return w.say("maintenance_started.until", subject(p.Name), w.when(p.Until))
	case timeline.MaintenanceOver:
		switch {
		case p.Held == 1:
			return w.say("maintenance_ended.held.one", subject(p.Name))
		case p.Held > 1:
			return w.say("maintenance_ended.held", subject(p.Name), number(p.Held))
		}
		return w.say("maintenance_ended", subject(p.Name))
	case timeline.Silence:
		if p.LastAt.IsZero() {
			return w.say("heartbeat_missed.never", subject(p.Name))
		}
		return w.say("heartbeat_missed", subject(p.Name), w.when(p.LastAt))
	case timeline.Beat:
		return w.say("heartbeat_resumed", subject(p.Name))
	case timeline.Drill:
		return w.say("drill_started", subject(p.Name), w.people(p.Users, p.Names))
	case timeline.DrillOver:
		return w.say("drill_ended", subject(p.Name), number(p.Answered), number(p.Asked))
	}
	return nil
}
