package oncall

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// Bounds that keep every calculation far from overflow.
const (
	// MaxEvery is the greatest length of a turn, in units.
	MaxEvery = 1000

	maxName   = 200
	firstYear = 1900
	lastYear  = 2999
)

// Schedule is a rotation made ready for questions: the zone is loaded, dates
// and times are parsed. It never changes, and any number of goroutines may use
// it at once.
type Schedule struct {
	rotation id.Rotation
	layers   []line
}

// line is a compiled layer. Instants are Unix seconds.
type line struct {
	index   int
	name    string
	members []id.User
	since   []int64 // per member: turns since the same person's began, going round
	until   []int64 // per member: turns until another person's begins; 0 for never
	loc     *time.Location
	unit    Unit
	every   int64
	handoff wall // seconds after midnight
	start   time.Time
	anchor  int64 // the beginning of turn 0
	end     int64 // at most horizon, which is no end
	duty    week  // when somebody is on duty; empty for always
	count   week  // what turns are counted in, for CountShifts; empty otherwise
	first   int64 // the occurrence in count with which turn 0 begins
}

// horizon is where the calendar ends.
var horizon = time.Date(lastYear+1, time.January, 1, 0, 0, 0, 0, time.UTC).Unix()

// Validate says in a sentence, which names the field, what is wrong with the
// rotation, if anything is. Layers without members are allowed: nobody is on
// duty in them.
func (r Rotation) Validate() error {
	_, err := r.Compile()
	return err
}

// Compile makes the rotation ready for questions. Its error is that of Validate.
func (r Rotation) Compile() (*Schedule, error) {
	if strings.TrimSpace(r.Name) == "" || len(r.Name) > maxName {
		return nil, fmt.Errorf("rotation: name: give 1 to %d characters", maxName)
	}
	loc, err := location(r.Zone)
	if err != nil {
		return nil, fmt.Errorf("rotation %s: %w", r.Name, err)
	}
	s := &Schedule{rotation: r.ID, layers: make([]line, 0, len(r.Layers))}
	names := map[string]int{}
	for i, l := range r.Layers {
		compiled, err := l.compile(loc)
		if err != nil {
			return nil, fmt.Errorf("rotation %s: layer %d: %w", r.Name, i+1, err)
		}
		// People tell layers apart by their names.
		if before, taken := names[l.Name]; taken {
			return nil, fmt.Errorf("rotation %s: layer %d: name: layer %d is called %q too", r.Name, i+1, before, l.Name)
		}
		names[l.Name] = i + 1
		compiled.index = i
		s.layers = append(s.layers, compiled)
	}
	return s, nil
}

func location(name string) (*time.Location, error) {
	// The standard library takes "" for UTC and "Local" for the zone of this
	// computer. A rota must say what it means, on every computer.
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("time zone %q is not a known IANA name such as Europe/London", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("time zone %q is not a known IANA name such as Europe/London", name)
	}
	return loc, nil
}

func (l Layer) compile(loc *time.Location) (line, error) {
	c := line{name: l.Name, loc: loc, unit: l.Unit, every: int64(l.Every), end: horizon}
	if len(l.Name) > maxName {
		return c, fmt.Errorf("name: give at most %d characters", maxName)
	}
	for i, m := range l.Members {
		if m == "" {
			return c, fmt.Errorf("members: member %d is empty", i+1)
		}
	}
	if l.Every < 1 || l.Every > MaxEvery {
		return c, fmt.Errorf("every: %d is not between 1 and %d", l.Every, MaxEvery)
	}
	switch l.Unit {
	case Hours, Days, Weeks, Months:
	default:
		return c, fmt.Errorf("unit: %q is not known; use hours, days, weeks or months", l.Unit)
	}
	handoff, err := timeOfDay(l.HandoffAt)
	if err != nil {
		return c, fmt.Errorf("handoff_at: %w", err)
	}
	c.handoff = handoff
	if c.start, err = date(l.Start); err != nil {
		return c, fmt.Errorf("start: %w", err)
	}
	c.anchor = (wall(c.start.Unix()) + handoff).instant(loc)
	if l.End != "" {
		end, err := date(l.End)
		if err != nil {
			return c, fmt.Errorf("end: %w", err)
		}
		if !end.After(c.start) {
			return c, fmt.Errorf("end: %s is not after the start, %s", l.End, l.Start)
		}
		c.end = min(horizon, (wall(end.Unix()) + handoff).instant(loc))
	}
	if err := l.restrict(&c); err != nil {
		return c, err
	}
	c.members = slices.Clone(l.Members)
	c.since, c.until = runs(c.members)
	return c, nil
}

func timeOfDay(s string) (wall, error) {
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") { // Parse takes 9:00, too
		return 0, fmt.Errorf("%q is not a time of day such as 09:00", s)
	}
	return wall(t.Hour()*60*60 + t.Minute()*60), nil
}

// date returns midnight UTC of the date, for its calendar fields.
func date(s string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || len(s) != len(time.DateOnly) {
		return time.Time{}, fmt.Errorf("%q is not a date such as 2026-01-05", s)
	}
	if t.Year() < firstYear || t.Year() > lastYear {
		return time.Time{}, fmt.Errorf("%s is not in the years %d to %d", s, firstYear, lastYear)
	}
	return t, nil
}

// runs tells for each position in the order, going round, how many turns ago the
// person took over and in how many another one will. All zero when the members
// are one and the same person.
func runs(members []id.User) (since, until []int64) {
	n := len(members)
	since, until = make([]int64, n), make([]int64, n)
	// Begin at the first member who follows somebody else.
	first := -1
	for i := range n {
		if members[i] != members[(i+n-1)%n] {
			first = i
			break
		}
	}
	if first < 0 {
		return since, until
	}
	for k := 1; k < n; k++ {
		at := (first + k) % n
		if members[at] == members[(at+n-1)%n] {
			since[at] = since[(at+n-1)%n] + 1
		}
	}
	for k := n - 1; k >= 0; k-- {
		at, next := (first+k)%n, (first+k+1)%n
		until[at] = 1
		if members[at] == members[next] {
			until[at] = until[next] + 1
		}
	}
	return since, until
}
