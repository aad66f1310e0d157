package org

import (
	"cmp"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/phrase"
)

// RiskKind says what a Risk is. Stable in storage, as the beginning of Risk.ID.
type RiskKind string

// The kinds of risks.
const (
	// GapRisk: nobody is on call in a rotation, and not because of the hours of its layers.
	GapRisk RiskKind = "gap"
	// HoursRisk: nobody is on call in a rotation outside of the hours that its
	// layers say. It may be meant; it may be a night that somebody forgot.
	HoursRisk RiskKind = "hours"
	// NobodyRisk: a policy can reach nobody.
	NobodyRisk RiskKind = "nobody"
	// UnreachableRisk: a member of a rotation has no usable contact method.
	UnreachableRisk RiskKind = "unreachable"
	// AbsentRisk: somebody is on call while they are away.
	AbsentRisk RiskKind = "absent"
	// DoubledRisk: one person is on call in several layers of a rotation at once.
	DoubledRisk RiskKind = "doubled"
	// HolidayRisk: somebody is on call on a public holiday because the rota says
	// so, and nobody has arranged it. It may be meant.
	HolidayRisk RiskKind = "holiday"
)

// Risk is something that will leave an alert without a person unless somebody
// does something about it. Of one kind there is one for each object: the first
// time it happens stands for the later ones.
type Risk struct {
	ID     string // the same for as long as it is the same problem: "gap:<rotation>"
	Kind   RiskKind
	Object string // "Rotation Primary"
	Text   string // what is wrong, as the end of a sentence, without its time
	Team   id.Team
	Person id.User   // whom it is about; "" for nobody in particular
	Start  time.Time // UTC, not before from of Risks; zero when it does not depend on time
	End    time.Time // zero: with Start, not within the time that Risks looked at
}

// Risks looks ahead: it lists what will be wrong at some time in [from, to), in
// the order of the kinds, then of the objects. It goes through every shift in
// that time, so callers keep the result for a while; Problems is the quick look.
func (o *Org) Risks(from, to time.Time) []Risk {
	x := risks{o: o, from: from.UTC(), to: to.UTC(), free: map[id.Rotation][]oncall.Interval{}}
	rotations := Sorted(o.Rotations, func(r oncall.Rotation) string { return r.Name })
	for _, r := range rotations {
		x.gaps(r)
	}
	for _, p := range Sorted(o.Policies, func(p escalation.Policy) string { return p.Name }) {
		x.nobody(p)
	}
	for _, r := range rotations {
		x.unreachable(r)
		x.doubled(r)
	}
	x.absent(rotations)
	x.holidays(rotations)
	order := []RiskKind{GapRisk, HoursRisk, NobodyRisk, UnreachableRisk, AbsentRisk, DoubledRisk, HolidayRisk}
	slices.SortStableFunc(x.found, func(a, b Risk) int { return cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind)) })
	return x.found
}

type risks struct {
	o        *Org
	from, to time.Time
	free     map[id.Rotation][]oncall.Interval // in which nobody is on call
	found    []Risk
}

func (x *risks) add(kind RiskKind, objectID string, r Risk, args ...any) {
	r.ID, r.Kind = string(kind)+":"+objectID, kind
	r.Text = phrase.T("org.risk."+string(kind), args...)
	if r.End.Equal(x.to) {
		r.End = time.Time{}
	}
	x.found = append(x.found, r)
}

func ofRotation(r oncall.Rotation, at oncall.Interval) Risk {
	return Risk{Object: phrase.T("org.rotation", r.Name), Team: r.Team, Start: at.From, End: at.To}
}

func (x *risks) gaps(r oncall.Rotation) {
	gaps := oncall.Gaps(x.o.compiled[r.ID], x.from, x.to)
	x.free[r.ID] = gaps
	if len(gaps) == 0 {
		return
	}
	holes, hours := gaps, []oncall.Interval(nil)
	if always, ok := unrestricted(r); ok {
		holes = both(gaps, oncall.Gaps(always, x.from, x.to))
		hours = slices.DeleteFunc(slices.Clone(gaps), func(g oncall.Interval) bool { return len(both([]oncall.Interval{g}, holes)) > 0 })
	}
	if len(holes) > 0 {
		x.add(GapRisk, string(r.ID), ofRotation(r, holes[0]))
	}
	if len(hours) > 0 {
		x.add(HoursRisk, string(r.ID), ofRotation(r, hours[0]))
	}
}

// unrestricted is the rota as it would be if its layers were on duty at all
// hours; false when they are.
func unrestricted(r oncall.Rotation) (oncall.Plan, bool) {
	if !slices.ContainsFunc(r.Layers, func(l oncall.Layer) bool { return len(l.Restrictions) > 0 }) {
		return nil, false
	}
	r.Layers = slices.Clone(r.Layers)
	for i := range r.Layers {
		r.Layers[i].Restrictions, r.Layers[i].Count = nil, oncall.CountCalendar
	}
	s, err := r.Compile()
	return s, err == nil // it is, for the rotation itself is
}

// both returns what two ordered lists of intervals have in common.
func both(a, b []oncall.Interval) []oncall.Interval {
	var common []oncall.Interval
	for _, i := range a {
		for _, j := range b {
			from, to := i.From, i.To
			if j.From.After(from) {
				from = j.From
			}
			if j.To.Before(to) {
				to = j.To
			}
			if from.Before(to) {
				common = append(common, oncall.Interval{From: from, To: to})
			}
		}
	}
	return common
}

// nobody looks at a policy now and whenever a rotation of it becomes empty. Who
// is on call and cannot be reached is a risk of its own.
func (x *risks) nobody(p escalation.Policy) {
	when := []time.Time{x.from}
	for _, r := range x.rotationsOf(p, map[id.Policy]bool{}) {
		for _, gap := range x.free[r] {
			when = append(when, gap.From)
		}
	}
	slices.SortFunc(when, time.Time.Compare)
	for _, at := range slices.CompactFunc(when, time.Time.Equal) {
		if x.o.Reaches(p, at) {
			continue
		}
		risk := Risk{Object: phrase.T("org.policy", p.Name), Team: p.Team}
		if at.After(x.from) {
			risk.Start = at
		}
		x.add(NobodyRisk, string(p.ID), risk)
		return
	}
}

// rotationsOf lists the rotations behind a policy and those it leads to.
func (x *risks) rotationsOf(p escalation.Policy, seen map[id.Policy]bool) []id.Rotation {
	seen[p.ID] = true
	var all []id.Rotation
	targets := func(list []escalation.Target) {
		for _, t := range list {
			if t.Rotation != "" {
				all = append(all, t.Rotation)
			}
		}
	}
	for _, s := range p.Steps {
		targets(s.Targets)
	}
	targets(p.LastResort)
	for _, next := range leadsTo(p) {
		if !seen[next] {
			all = append(all, x.rotationsOf(x.o.Policies[next], seen)...)
		}
	}
	return all
}

func (x *risks) unreachable(r oncall.Rotation) {
	who := members(r)
	for _, v := range x.o.overridesOf(r.ID) {
		if v.Start.Before(x.to) && (v.End.IsZero() || v.End.After(x.from)) && !slices.Contains(who, v.User) {
			who = append(who, v.User)
		}
	}
	for _, u := range who {
		if user, ok := x.o.Users[u]; ok && !user.Reachable() {
			risk := Risk{Object: phrase.T("org.rotation", r.Name), Team: r.Team, Person: u}
			x.add(UnreachableRisk, string(r.ID)+":"+string(u), risk, user.Name)
		}
	}
}

func (x *risks) doubled(r oncall.Rotation) {
	if len(r.Layers) < 2 {
		return
	}
	said := map[id.User]bool{}
	for _, d := range oncall.Doubled(x.o.compiled[r.ID], x.from, x.to) {
		if said[d.User] {
			continue
		}
		said[d.User] = true
		risk := ofRotation(r, d.Interval)
		risk.Person = d.User
		x.add(DoubledRisk, string(r.ID)+":"+string(d.User), risk, x.o.UserName(d.User))
	}
}

func (x *risks) absent(rotations []oncall.Rotation) {
	for _, a := range Sorted(x.o.Absences, func(a oncall.Absence) string { return string(a.ID) }) {
		from, to := a.Start, a.End
		if from.Before(x.from) {
			from = x.from
		}
		if to.After(x.to) {
			to = x.to
		}
		for _, r := range rotations {
			duty := dutyOf(x.o.compiled[r.ID], a.User, from, to)
			if len(duty) == 0 {
				continue
			}
			risk := ofRotation(r, duty[0])
			risk.Person = a.User
			x.add(AbsentRisk, string(r.ID)+":"+string(a.ID), risk, x.o.UserName(a.User))
		}
	}
}

// holidays tells of each day by itself: another one is nobody's "later time".
func (x *risks) holidays(rotations []oncall.Rotation) {
	for _, r := range rotations {
		for _, d := range x.o.HolidayDuties(r.ID, x.from, x.to) {
			risk := ofRotation(r, d.Interval)
			risk.Person = d.User
			x.add(HolidayRisk, string(r.ID)+":"+d.Holiday.Date+":"+string(d.User), risk, x.o.UserName(d.User), d.Holiday.Name)
		}
	}
}

// HolidayDuties returns who is on duty in a rotation on public holidays within
// [from, to) and has it from the rota alone; see oncall.HolidayDuties.
func (o *Org) HolidayDuties(r id.Rotation, from, to time.Time) []oncall.HolidayDuty {
	days := o.HolidaysOf(o.Rotations[r].Team)
	loc, err := time.LoadLocation(o.Rotations[r].Zone)
	if len(days) == 0 || o.compiled[r] == nil || err != nil {
		return nil
	}
	return oncall.HolidayDuties(o.compiled[r], days, loc, from, to)
}

// HolidaysOf lists the public holidays that count for the rotations of a team:
// its own, and those that are for all.
func (o *Org) HolidaysOf(t id.Team) []oncall.Holiday {
	var days []oncall.Holiday
	for _, c := range o.Holidays {
		if c.Team == "" || c.Team == t {
			days = append(days, c.Days...)
		}
	}
	return oncall.SortHolidays(days)
}

// dutyOf returns the shifts of a person within [from, to), cut to it.
func dutyOf(p oncall.Plan, u id.User, from, to time.Time) []oncall.Interval {
	var duty []oncall.Interval
	for _, s := range p.Between(from, to) {
		if s.User != u {
			continue
		}
		i := oncall.Interval{From: s.Start, To: s.End}
		if i.From.Before(from) {
			i.From = from.UTC()
		}
		if s.End.IsZero() || i.To.After(to) {
			i.To = to.UTC()
		}
		duty = append(duty, i)
	}
	return duty
}
