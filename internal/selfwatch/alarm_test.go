package selfwatch

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Every line is a minute: what is wrong, what is told, and whether that worked.
func TestAlarms(t *testing.T) {
	queue, clock := Problem{Key: "queue", Object: "queue"}, Problem{Key: "clock", Object: "clock", Once: true}
	type minute struct {
		at    int // minutes
		wrong []Problem
		want  []string
		fails bool
	}
	for name, story := range map[string][]minute{
		"told once, each hour, and when over": {
			{0, []Problem{queue}, []string{"raised queue"}, false},
			{1, []Problem{queue}, nil, false},
			{59, []Problem{queue}, nil, false},
			{60, []Problem{queue}, []string{"lasting queue"}, false},
			{61, nil, []string{"cleared queue"}, false},
			{62, nil, nil, false},
			{63, []Problem{queue}, []string{"raised queue"}, false},
		},
		"what could not be told is tried again": {
			{0, []Problem{queue}, []string{"raised queue"}, true},
			{1, []Problem{queue}, []string{"raised queue"}, true},
			{2, []Problem{queue}, []string{"raised queue"}, false},
			{3, nil, []string{"cleared queue"}, true},
			{4, nil, []string{"cleared queue"}, false},
			{5, nil, nil, false},
		},
		"over before anybody could be told": {
			{0, []Problem{queue}, []string{"raised queue"}, true},
			{1, nil, nil, false},
			{2, nil, nil, false},
		},
		"what happens once has no end": {
			{0, []Problem{clock}, []string{"raised clock"}, false},
			{1, nil, nil, false},
			{2, []Problem{clock}, []string{"raised clock"}, false},
		},
		"what happened once is told later when it could not be": {
			{0, []Problem{clock}, []string{"raised clock"}, true},
			{1, nil, []string{"raised clock"}, false},
			{2, nil, nil, false},
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAlarms()
			for _, m := range story {
				now := time.Date(2026, 11, 22, 9, m.at, 0, 0, time.UTC)
				var got []string
				for _, al := range a.update(now, m.wrong) {
					got = append(got, al.State+" "+al.Key)
					a.told(al, now, !m.fails)
				}
				if diff := cmp.Diff(m.want, got); diff != "" {
					t.Errorf("minute %d (-want +got):\n%s", m.at, diff)
				}
			}
		})
	}
}

func TestAlarmsAreLimited(t *testing.T) {
	a, now, told := newAlarms(), time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), 0
	look := func(problems ...Problem) {
		for _, al := range a.update(now, problems) {
			told++
			a.told(al, now, true)
		}
	}
	for i := range 50 { // comes and goes all the time
		now = now.Add(30 * time.Second)
		look(Problem{Key: fmt.Sprint("p", i)})
	}
	if told != maxAlarms {
		t.Errorf("%d alarms in half an hour, want %d", told, maxAlarms)
	}
	now = now.Add(time.Hour)
	look(Problem{Key: "new"})
	if told == maxAlarms {
		t.Error("nothing is told an hour later")
	}
}

func TestClockJumps(t *testing.T) {
	wall, mono := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), time.Duration(0)
	c := clocks{wall: func() time.Time { return wall }, mono: func() time.Duration { return mono }}
	pass := func(w, m time.Duration) time.Duration {
		wall, mono = wall.Add(w), mono+m
		return c.jump()
	}
	for _, step := range []struct{ wall, mono, want time.Duration }{
		{0, 0, 0}, {15 * time.Second, 15 * time.Second, 0}, {3615 * time.Second, 15 * time.Second, time.Hour},
		{15 * time.Second, 15 * time.Second, 0}, {-45 * time.Second, 15 * time.Second, -time.Minute},
	} {
		if got := pass(step.wall, step.mono); got != step.want {
			t.Errorf("wall %s, counted %s: jumped by %s, want %s", step.wall, step.mono, got, step.want)
		}
	}
}
