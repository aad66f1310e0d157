package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/watchroom/watchroom/internal/api"
	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/phrase"
)

type onCallCmd struct {
	At      string         `help:"When, such as 2027-03-28T02:30:00+01:00. Default: now." placeholder:"TIME"`
	JSON    bool           `name:"json" help:"Print it as JSON."`
	Remote  remote         `embed:"" group:"On a running server:"`
	Storage config.Storage `embed:"" group:"Where the server is:"`
}

// duty is one line: who is on duty in one layer, or nobody in a rotation.
type duty struct {
	Rotation string     `json:"rotation"`
	Layer    string     `json:"layer,omitempty"`
	Person   string     `json:"person,omitempty"` // "" for nobody
	Username string     `json:"username,omitempty"`
	Until    *time.Time `json:"until,omitempty"` // in the zone of the rotation; absent for no end
	Instead  string     `json:"instead,omitempty"`
}

// Run prints a table.
func (cmd *onCallCmd) Run(ctx context.Context, c *console) error {
	at := time.Now()
	if cmd.At != "" {
		var err error
		if at, err = instant("--at", cmd.At); err != nil {
			return err
		}
	}
	list := cmd.here
	if cmd.Remote.given() {
		list = cmd.there
	}
	all, err := list(ctx, at)
	if err != nil {
		return err
	}
	if cmd.JSON {
		enc := json.NewEncoder(c.out)
		enc.SetIndent("", "  ")
		return enc.Encode(all)
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, phrase.T("cli.oncall.columns"))
	for _, d := range all {
		who, until := d.Person, ""
		switch {
		case who == "":
			who = phrase.T("cli.oncall.nobody")
		case d.Until == nil:
			until = phrase.T("cli.oncall.open")
		default:
			until = d.Until.Format("Mon 2006-01-02 15:04 MST")
		}
		if d.Instead != "" {
			who = phrase.T("cli.oncall.instead", who, d.Instead)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", d.Rotation, d.Layer, who, until)
	}
	return w.Flush()
}

// here asks the store itself, so that it works while no server runs.
func (cmd *onCallCmd) here(ctx context.Context, at time.Time) ([]duty, error) {
	o, err := organisation(ctx, cmd.Storage)
	if err != nil {
		return nil, err
	}
	all := []duty{}
	for _, r := range org.Sorted(o.Rotations, func(r oncall.Rotation) string { return r.Name }) {
		on := o.OnCall(r.ID, at)
		if len(on) == 0 {
			all = append(all, duty{Rotation: r.Name})
		}
		for _, s := range on {
			d := duty{Rotation: r.Name, Layer: s.LayerName, Person: o.UserName(s.User), Username: o.Users[s.User].Username, Until: until(s.End, r.Zone)}
			if s.Instead != "" {
				d.Instead = o.UserName(s.Instead)
			}
			all = append(all, d)
		}
	}
	return all, nil
}

func (cmd *onCallCmd) there(ctx context.Context, at time.Time) ([]duty, error) {
	got, err := asked[api.OnCall](ctx, cmd.Remote, http.MethodGet, "/api/v1/oncall?"+url.Values{"at": {at.Format(time.RFC3339)}}.Encode(), nil)
	if err != nil {
		return nil, err
	}
	all := []duty{}
	for _, r := range got.Rotations {
		if len(r.Now) == 0 {
			all = append(all, duty{Rotation: r.Name})
		}
		for _, d := range r.Now {
			line := duty{Rotation: r.Name, Layer: d.Layer, Person: d.Person.Name, Username: d.Person.Username}
			if d.Until != nil {
				line.Until = until(*d.Until, r.Zone)
			}
			if d.Instead != nil {
				line.Instead = d.Instead.Name
			}
			all = append(all, line)
		}
	}
	return all, nil
}

// until is the end in the zone of the rotation; nil for none.
func until(end time.Time, zone string) *time.Time {
	if end.IsZero() {
		return nil
	}
	if loc, err := time.LoadLocation(zone); err == nil {
		end = end.In(loc)
	}
	return &end
}
