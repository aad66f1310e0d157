package oncall

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
)

// rota is a rotation of one layer.
func rota(zone string, every int, unit Unit, handoff, start string, members ...id.User) Rotation {
	return Rotation{Name: "Primary", Team: "ops", Zone: zone, Layers: []Layer{
		{Members: members, Every: every, Unit: unit, HandoffAt: handoff, Start: start},
	}}
}

func schedule(t testing.TB, r Rotation) *Schedule {
	t.Helper()
	s, err := r.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// lines writes shifts as "user start end" in the given zone.
func lines(loc *time.Location, shifts []Shift) []string {
	var text []string
	for _, s := range shifts {
		end := "never"
		if !s.End.IsZero() {
			end = s.End.In(loc).Format("01-02 15:04")
		}
		text = append(text, fmt.Sprintf("%s %s to %s", s.User, s.Start.In(loc).Format("2006-01-02 15:04"), end))
	}
	return text
}

func TestShifts(t *testing.T) {
	tests := []struct {
		why  string
		rota Rotation
		from string
		want []string // four at most
	}{
		{
			"weekly, the hour kept in spring",
			rota("Europe/London", 1, Weeks, "09:00", "2026-01-05", "ann", "ben"), "2026-03-20T00:00:00Z",
			[]string{"ann 2026-03-16 09:00 to 03-23 09:00", "ben 2026-03-23 09:00 to 03-30 09:00", "ann 2026-03-30 09:00 to 04-06 09:00", "ben 2026-04-06 09:00 to 04-13 09:00"},
		},
		{
			"daily, the hour kept in autumn",
			rota("America/New_York", 1, Days, "08:30", "2026-01-01", "ann", "ben", "cem"), "2026-10-31T12:30:00Z",
			[]string{"ann 2026-10-31 08:30 to 11-01 08:30", "ben 2026-11-01 08:30 to 11-02 08:30", "cem 2026-11-02 08:30 to 11-03 08:30", "ann 2026-11-03 08:30 to 11-04 08:30"},
		},
		{
			"daily in the skipped hour: at the jump, next day as always",
			rota("Europe/London", 1, Days, "01:30", "2026-03-27", "ann", "ben"), "2026-03-28T12:00:00Z",
			[]string{"ben 2026-03-28 01:30 to 03-29 02:00", "ann 2026-03-29 02:00 to 03-30 01:30", "ben 2026-03-30 01:30 to 03-31 01:30", "ann 2026-03-31 01:30 to 04-01 01:30"},
		},
		{
			"hours are elapsed time: the clock moves, the length does not",
			rota("Europe/London", 12, Hours, "08:00", "2026-03-28", "ann", "ben"), "2026-03-28T08:00:00Z",
			[]string{"ann 2026-03-28 08:00 to 03-28 20:00", "ben 2026-03-28 20:00 to 03-29 09:00", "ann 2026-03-29 09:00 to 03-29 21:00", "ben 2026-03-29 21:00 to 03-30 09:00"},
		},
		{
			"monthly on the 31st: the last day of shorter months, and the 31st again",
			rota("Asia/Kathmandu", 1, Months, "10:00", "2026-01-31", "ann", "ben"), "2026-01-31T04:15:00Z",
			[]string{"ann 2026-01-31 10:00 to 02-28 10:00", "ben 2026-02-28 10:00 to 03-31 10:00", "ann 2026-03-31 10:00 to 04-30 10:00", "ben 2026-04-30 10:00 to 05-31 10:00"},
		},
		{
			"every three months over the end of a leap year",
			rota("UTC", 3, Months, "00:00", "2027-11-30", "ann", "ben"), "2028-02-29T00:00:00Z",
			[]string{"ben 2028-02-29 00:00 to 05-30 00:00", "ann 2028-05-30 00:00 to 08-30 00:00", "ben 2028-08-30 00:00 to 11-30 00:00", "ann 2028-11-30 00:00 to 02-28 00:00"},
		},
		{
			"the day Samoa skipped is no turn from midnight to midnight",
			rota("Pacific/Apia", 1, Days, "00:00", "2011-12-28", "ann", "ben", "cem"), "2011-12-29T10:00:00Z",
			[]string{"ben 2011-12-29 00:00 to 12-31 00:00", "ann 2011-12-31 00:00 to 01-01 00:00", "ben 2012-01-01 00:00 to 01-02 00:00", "cem 2012-01-02 00:00 to 01-03 00:00"},
		},
		{
			"the day Samoa skipped with a morning hand-off: nine hours are left of the turn",
			rota("Pacific/Apia", 1, Days, "09:00", "2011-12-28", "ann", "ben", "cem"), "2011-12-29T19:00:00Z",
			[]string{"ben 2011-12-29 09:00 to 12-31 00:00", "cem 2011-12-31 00:00 to 12-31 09:00", "ann 2011-12-31 09:00 to 01-01 09:00", "ben 2012-01-01 09:00 to 01-02 09:00"},
		},
		{
			"no midnight in Brazil",
			rota("America/Sao_Paulo", 1, Days, "00:00", "2018-11-01", "ann", "ben"), "2018-11-03T12:00:00Z",
			[]string{"ann 2018-11-03 00:00 to 11-04 01:00", "ben 2018-11-04 01:00 to 11-05 00:00", "ann 2018-11-05 00:00 to 11-06 00:00", "ben 2018-11-06 00:00 to 11-07 00:00"},
		},
		{
			"half an hour in autumn on Lord Howe: at the first 01:45",
			rota("Australia/Lord_Howe", 1, Days, "01:45", "2026-04-03", "ann", "ben"), "2026-04-04T00:00:00Z",
			[]string{"ben 2026-04-04 01:45 to 04-05 01:45", "ann 2026-04-05 01:45 to 04-06 01:45", "ben 2026-04-06 01:45 to 04-07 01:45", "ann 2026-04-07 01:45 to 04-08 01:45"},
		},
		{
			"two turns in a row are one shift, round the end of the list too",
			rota("UTC", 1, Days, "00:00", "2026-01-01", "ann", "ben", "ben", "ann"), "2026-01-01T00:00:00Z",
			[]string{"ann 2026-01-01 00:00 to 01-02 00:00", "ben 2026-01-02 00:00 to 01-04 00:00", "ann 2026-01-04 00:00 to 01-06 00:00", "ben 2026-01-06 00:00 to 01-08 00:00"},
		},
		{
			"a lone member is never relieved",
			rota("UTC", 1, Weeks, "09:00", "2026-01-05", "ann", "ann"), "2026-06-01T00:00:00Z",
			[]string{"ann 2026-01-05 09:00 to never"},
		},
		{
			"before the start: the first shift is the first hand-over",
			rota("UTC", 2, Weeks, "09:00", "2026-01-05", "ann", "ben"), "2020-01-01T00:00:00Z",
			[]string{"ann 2026-01-05 09:00 to 01-19 09:00", "ben 2026-01-19 09:00 to 02-02 09:00", "ann 2026-02-02 09:00 to 02-16 09:00", "ben 2026-02-16 09:00 to 03-02 09:00"},
		},
		{"nobody", rota("UTC", 1, Days, "09:00", "2026-01-05"), "2026-06-01T00:00:00Z", nil},
	}
	for _, tt := range tests {
		t.Run(tt.why, func(t *testing.T) {
			s := schedule(t, tt.rota)
			from := instant(t, tt.from)
			got := s.Between(from, from.AddDate(20, 0, 0))
			if diff := cmp.Diff(tt.want, lines(zone(t, tt.rota.Zone), got[:min(4, len(got))])); diff != "" {
				t.Errorf("shifts (-want +got):\n%s", diff)
			}
		})
	}
}

// The occurrence of a doubled local time cannot be read off a local clock.
func TestDoubledHourTakesTheFirst(t *testing.T) {
	s := schedule(t, rota("Europe/London", 1, Days, "01:30", "2026-10-01", "ann", "ben"))
	got := s.Next(instant(t, "2026-10-24T12:00:00Z"), 2)
	want := []time.Time{instant(t, "2026-10-25T00:30:00Z"), instant(t, "2026-10-26T01:30:00Z")}
	if diff := cmp.Diff(want, []time.Time{got[0].Start, got[1].Start}); diff != "" {
		t.Errorf("hand-overs (-want +got):\n%s", diff)
	}
}

func TestOnCallEdges(t *testing.T) {
	r := rota("Europe/London", 1, Weeks, "09:00", "2026-01-05", "ann", "ben")
	r.Layers[0].End = "2026-02-02"
	tests := []struct{ why, at, want string }{
		{"a nanosecond before the start", "2026-01-05T08:59:59.999999999Z", ""},
		{"at the start", "2026-01-05T09:00:00Z", "ann"},
		{"a nanosecond before the hand-over", "2026-01-12T08:59:59.999999999Z", "ann"},
		{"at the hand-over", "2026-01-12T09:00:00Z", "ben"},
		{"before the end", "2026-02-02T08:59:59Z", "ben"},
		{"at the end", "2026-02-02T09:00:00Z", ""},
		{"long before", "0001-01-01T00:00:00Z", ""},
		{"long after", "9999-12-31T00:00:00Z", ""},
	}
	for _, tt := range tests {
		t.Run(tt.why, func(t *testing.T) {
			var got strings.Builder
			for _, s := range r.OnCall(instant(t, tt.at)) {
				got.WriteString(string(s.User))
			}
			if got.String() != tt.want {
				t.Errorf("OnCall(%s) = %q, want %q", tt.at, got.String(), tt.want)
			}
		})
	}
	if got := r.Next(instant(t, "2026-01-26T09:00:00Z"), 3); len(got) != 0 {
		t.Errorf("hand-overs after the last: %v", got)
	}
	last := r.OnCall(instant(t, "2026-02-01T00:00:00Z"))
	if want := instant(t, "2026-02-02T09:00:00Z"); !last[0].End.Equal(want) {
		t.Errorf("the last shift ends %s, want %s", last[0].End, want)
	}
}

func TestLayers(t *testing.T) {
	r := Rotation{Name: "Both", Zone: "Europe/Berlin", Layers: []Layer{
		{Name: "primary", Members: []id.User{"ann", "ben"}, Every: 1, Unit: Days, HandoffAt: "09:00", Start: "2026-01-05"},
		{Name: "empty", Every: 1, Unit: Days, HandoffAt: "09:00", Start: "2026-01-05"},
		{Name: "backup", Members: []id.User{"cem", "ben"}, Every: 2, Unit: Days, HandoffAt: "09:00", Start: "2026-01-05"},
	}}
	at := instant(t, "2026-01-06T12:00:00Z")

	var on []string
	for _, s := range r.OnCall(at) {
		on = append(on, fmt.Sprintf("%d %s %s", s.Layer, s.LayerName, s.User))
	}
	if diff := cmp.Diff([]string{"0 primary ben", "2 backup cem"}, on); diff != "" {
		t.Errorf("OnCall (-want +got):\n%s", diff)
	}

	berlin := zone(t, "Europe/Berlin")
	want := []string{"ann 2026-01-07 09:00 to 01-08 09:00", "ben 2026-01-07 09:00 to 01-09 09:00", "ben 2026-01-08 09:00 to 01-09 09:00"}
	if diff := cmp.Diff(want, lines(berlin, r.Next(at, 3))); diff != "" {
		t.Errorf("Next (-want +got):\n%s", diff)
	}
	if got := r.Next(at, 0); got != nil {
		t.Errorf("Next(at, 0) = %v", got)
	}

	want = []string{"cem 2026-01-05 09:00 to 01-07 09:00", "ben 2026-01-06 09:00 to 01-07 09:00", "ann 2026-01-07 09:00 to 01-08 09:00", "ben 2026-01-07 09:00 to 01-09 09:00"}
	if diff := cmp.Diff(want, lines(berlin, r.Between(at, instant(t, "2026-01-08T08:00:00Z")))); diff != "" {
		t.Errorf("Between (-want +got):\n%s", diff)
	}
	if got := r.Between(at, at); got != nil {
		t.Errorf("Between(at, at) = %v", got)
	}
}

func TestLayersFollowWithoutGap(t *testing.T) {
	r := rota("Europe/London", 1, Weeks, "01:30", "2026-03-01", "ann", "ben")
	r.Layers[0].Name, r.Layers[0].End = "until March", "2026-03-29" // 01:30 is skipped that day
	r.Layers = append(r.Layers, Layer{Name: "from then", Members: []id.User{"cem", "dee"}, Every: 1, Unit: Days, HandoffAt: "01:30", Start: "2026-03-29"})
	jump := instant(t, "2026-03-29T01:00:00Z")
	before, after := r.OnCall(jump.Add(-1)), r.OnCall(jump)
	if len(before) != 1 || len(after) != 1 || before[0].End != after[0].Start {
		t.Errorf("before the jump %v, after it %v", before, after)
	}
}

func TestWithCurrent(t *testing.T) {
	at := instant(t, "2026-01-14T12:00:00Z") // second week
	tests := []struct {
		why     string
		members []id.User
		user    id.User
		want    []id.User
	}{
		{"already on duty", []id.User{"ann", "ben", "cem"}, "ben", []id.User{"ann", "ben", "cem"}},
		{"the next one", []id.User{"ann", "ben", "cem"}, "cem", []id.User{"ben", "cem", "ann"}},
		{"the one before", []id.User{"ann", "ben", "cem"}, "ann", []id.User{"cem", "ann", "ben"}},
		{"the nearer of two turns", []id.User{"ann", "ben", "cem", "ann", "dee"}, "ann", []id.User{"cem", "ann", "dee", "ann", "ben"}},
	}
	for _, tt := range tests {
		t.Run(tt.why, func(t *testing.T) {
			r := rota("Europe/London", 1, Weeks, "09:00", "2026-01-05", tt.members...)
			before := r.OnCall(at)[0]
			got, err := r.WithCurrent(tt.user, at)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.Layers[0].Members); diff != "" {
				t.Errorf("members (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.members, r.Layers[0].Members); diff != "" {
				t.Errorf("the rotation asked has changed:\n%s", diff)
			}
			now := got.OnCall(at)[0]
			if now.User != tt.user || now.Start != before.Start || now.End != before.End {
				t.Errorf("on call is %v, want %s in the shift %v", now, tt.user, before)
			}
		})
	}

	r := rota("Europe/London", 1, Weeks, "09:00", "2026-01-05", "ann", "ben")
	if _, err := r.WithCurrent("eve", at); err == nil {
		t.Error("somebody who is not a member was put on duty")
	}
	if _, err := r.WithCurrent("ann", instant(t, "2025-01-01T00:00:00Z")); err == nil {
		t.Error("somebody was put on duty before the start")
	}
	r.Zone = "Nowhere"
	if _, err := r.WithCurrent("ann", at); err == nil {
		t.Error("a rotation that is not valid was changed")
	}
}

func TestWithCurrentTakesTheLayerOfTheUser(t *testing.T) {
	r := rota("UTC", 1, Days, "09:00", "2026-01-05", "ann", "ben")
	second := r.Layers[0]
	second.Name, second.Members = "backup", []id.User{"cem", "dee"}
	r.Layers = append(r.Layers, second)
	got, err := r.WithCurrent("dee", instant(t, "2026-01-05T10:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]id.User{{"ann", "ben"}, {"dee", "cem"}}, [][]id.User{got.Layers[0].Members, got.Layers[1].Members}); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
}

func TestValidate(t *testing.T) {
	tests := []struct {
		why    string
		change func(*Rotation)
		want   string // in the sentence; "" for valid
	}{
		{"as it is", func(*Rotation) {}, ""},
		{"no layers", func(r *Rotation) { r.Layers = nil }, ""},
		{"no members", func(r *Rotation) { r.Layers[0].Members = nil }, ""},
		{"with an end", func(r *Rotation) { r.Layers[0].End = "2026-01-06" }, ""},
		{"no name", func(r *Rotation) { r.Name = " " }, "rotation: name: give 1 to 200 characters"},
		{"long name", func(r *Rotation) { r.Name = strings.Repeat("x", 201) }, "name: give"},
		{"no zone", func(r *Rotation) { r.Zone = "" }, `time zone "" is not a known IANA name`},
		{"the computer's zone", func(r *Rotation) { r.Zone = "Local" }, `time zone "Local" is not`},
		{"unknown zone", func(r *Rotation) { r.Zone = "Europe/Atlantis" }, `rotation Primary: time zone "Europe/Atlantis"`},
		{"a path for a zone", func(r *Rotation) { r.Zone = "../../etc/passwd" }, "time zone"},
		{"empty member", func(r *Rotation) { r.Layers[0].Members = []id.User{"ann", ""} }, "layer 1: members: member 2 is empty"},
		{"every 0", func(r *Rotation) { r.Layers[0].Every = 0 }, "layer 1: every: 0 is not between 1 and 1000"},
		{"every too much", func(r *Rotation) { r.Layers[0].Every = 1001 }, "every: 1001 is not"},
		{"unit", func(r *Rotation) { r.Layers[0].Unit = "fortnights" }, `unit: "fortnights" is not known`},
		{"hour 24", func(r *Rotation) { r.Layers[0].HandoffAt = "24:00" }, `handoff_at: "24:00" is not a time of day`},
		{"one digit", func(r *Rotation) { r.Layers[0].HandoffAt = "9:00" }, `handoff_at: "9:00" is not`},
		{"30 February", func(r *Rotation) { r.Layers[0].Start = "2026-02-30" }, `start: "2026-02-30" is not a date`},
		{"year 1", func(r *Rotation) { r.Layers[0].Start = "0001-01-01" }, "start: 0001-01-01 is not in the years"},
		{"bad end", func(r *Rotation) { r.Layers[0].End = "soon" }, `end: "soon" is not a date`},
		{"end at start", func(r *Rotation) { r.Layers[0].End = "2026-01-05" }, "end: 2026-01-05 is not after the start"},
		{"long layer name", func(r *Rotation) { r.Layers[0].Name = strings.Repeat("x", 201) }, "layer 1: name: give at most"},
		{"same name twice", func(r *Rotation) { r.Layers = append(r.Layers, r.Layers[0]) }, `layer 2: name: layer 1 is called "" too`},
	}
	at := instant(t, "2026-01-05T12:00:00Z")
	for _, tt := range tests {
		t.Run(tt.why, func(t *testing.T) {
			r := rota("Europe/London", 1, Weeks, "09:00", "2026-01-05", "ann", "ben")
			tt.change(&r)
			err := r.Validate()
			if tt.want == "" {
				if err != nil {
					t.Errorf("Validate() = %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Validate() = %v, want ... %s ...", err, tt.want)
			}
			if r.OnCall(at) != nil || r.Next(at, 1) != nil || r.Between(at, at.Add(1)) != nil {
				t.Error("somebody is on duty in a rotation that is not valid")
			}
		})
	}
}

func TestJSON(t *testing.T) {
	r := rota("Europe/London", 1, Weeks, "09:00", "2026-01-05", "ann", "ben")
	r.ID = "r1"
	got, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"r1","name":"Primary","team":"ops","zone":"Europe/London","layers":[{"name":"","members":["ann","ben"],"every":1,"unit":"weeks","handoff_at":"09:00","start":"2026-01-05"}]}`
	if string(got) != want {
		t.Errorf("rotation as JSON\n got %s\nwant %s", got, want)
	}
	var back Rotation
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, back); diff != "" {
		t.Errorf("rotation read back (-want +got):\n%s", diff)
	}
}
