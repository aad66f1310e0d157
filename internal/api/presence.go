package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
)

// PresenceView is whether somebody is there.
type PresenceView struct {
	User      id.User  `json:"user"`
	Username  string   `json:"username"`
	Name      string   `json:"name"`
	State     string   `json:"state" enum:"online,away,offline" doc:"Away: a page of theirs is open, and nobody has touched it for a while."`
	Devices   []string `json:"devices" nullable:"false" doc:"On what they are there: browser, phone or robot."`
	OnCall    bool     `json:"on_call"`
	Robot     bool     `json:"robot"`
	Zone      string   `json:"zone" example:"Europe/Berlin"`
	LocalTime string   `json:"local_time" example:"2026-11-22T21:04:00+01:00" doc:"What time it is where they are."`
}

type listPresenceInput struct {
	Paging
	State string `query:"state" enum:"online,away,offline" doc:"Only those who are so."`
}

const presenceCursor cursorOf = "presence"

func (a *api) listPresence(ctx context.Context, _ people.Actor, in *listPresenceInput) (*listOutput[PresenceView], error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	pages, err := a.Store.Present(ctx)
	if err != nil {
		return nil, err
	}
	now := a.now()
	all := map[id.User]PresenceView{}
	for n, u := range o.Users {
		if !u.Disabled {
			all[n] = PresenceView{
				User: n, Username: u.Username, Name: u.Name, State: "offline", Devices: []string{}, Robot: u.Robot, Zone: u.Zone,
				LocalTime: now.In(u.Location()).Format(time.RFC3339),
			}
		}
	}
	there := store.WhoIsThere(pages)
	for _, page := range pages {
		v, ok := all[page.Person]
		if !ok {
			continue
		}
		v.State = there[page.Person]
		if !slices.Contains(v.Devices, page.Device) {
			v.Devices = append(v.Devices, page.Device)
		}
		all[page.Person] = v
	}
	for _, u := range o.OnCallOf("", now) {
		if v, ok := all[u]; ok {
			v.OnCall = true
			all[u] = v
		}
	}
	found := []PresenceView{}
	for _, v := range all {
		if in.State == "" || v.State == in.State {
			found = append(found, v)
		}
	}
	slices.SortFunc(found, func(x, y PresenceView) int { return cmp.Compare(x.Username, y.Username) })
	return listed(o, found, in.Paging, presenceCursor, func(v PresenceView) string { return v.Username }, func(_ *org.Org, v PresenceView) PresenceView { return v })
}
