package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
)

// rotas is the arithmetic of a large organisation: a thousand rotations of many
// zones and shapes, a quarter of them on duty at night only, all with overrides.
func rotas(_ context.Context, r *run, t *table) error {
	const many = 1000
	all := make([]*oncall.FinalSchedule, 0, many)
	began := time.Now()
	for i := range many {
		s, err := rotaOf(i).Compile()
		if err != nil {
			return fmt.Errorf("rotation %d: %w", i, err)
		}
		from := time.Date(2026, 1, 1+i%300, 0, 0, 0, 0, time.UTC)
		all = append(all, oncall.Final(s, []oncall.Override{
			{ID: "o", Rotation: rotaOf(i).ID, User: "eve", For: "ann", Start: from, End: from.AddDate(0, 0, 14), Kind: oncall.Planned},
			{ID: "p", Rotation: rotaOf(i).ID, User: "fay", Start: from.AddDate(0, 0, 3), End: from.AddDate(0, 0, 4), Kind: oncall.Taken},
		}))
	}
	t.show("compile 1,000 rotations", span(time.Since(began)), "once after each change of the organisation")

	at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	var took samples
	people := 0
	for range pick(r, 200, 50) {
		began := time.Now()
		people = 0
		for _, s := range all {
			people += len(s.OnCall(at))
		}
		took = append(took, time.Since(began))
		at = at.Add(37 * time.Hour)
	}
	t.show("who is on call in 1,000 rotations", took.spread(), count(people)+" people")

	took = nil
	hands := 0
	for range pick(r, 5, 2) {
		began := time.Now()
		hands = 0
		for _, s := range all {
			hands += len(oncall.HandOvers(s, at, at.AddDate(1, 0, 0)))
		}
		took = append(took, time.Since(began))
	}
	t.show("a year of hand-overs of 1,000 rotations", took.spread(), count(hands)+" hand-overs")
	return nil
}

func rotaOf(i int) oncall.Rotation {
	zones := []string{"Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo", "UTC", "Pacific/Auckland"}
	l := oncall.Layer{
		Members: []id.User{"ann", "ben", "cem", "dee"}, Every: 1 + i%3, HandoffAt: "09:00", Start: "2015-01-05",
		Unit: []oncall.Unit{oncall.Hours, oncall.Days, oncall.Weeks, oncall.Months}[i%4],
	}
	if l.Unit == oncall.Hours {
		l.Every *= 8
	}
	if i%4 == 1 {
		l.Restrictions = []oncall.Restriction{{From: "20:00", To: "08:00"}}
	}
	return oncall.Rotation{ID: id.Rotation(fmt.Sprintf("r%04d", i)), Name: fmt.Sprintf("Rotation %04d", i), Zone: zones[i%len(zones)], Layers: []oncall.Layer{l}}
}
