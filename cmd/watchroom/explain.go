package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/explain"
	"github.com/watchroom/watchroom/internal/maintenance"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

type explainCmd struct {
	RoutingKey string         `help:"As a sender would spell it. Without it: the default route, or the policies of --team." placeholder:"KEY"`
	Severity   string         `help:"Of the alert: critical, warning or info." default:"critical"`
	At         string         `help:"When the alert would come, such as 2027-03-28T02:30:00+01:00. Default: now." placeholder:"TIME"`
	Team       string         `help:"Without --routing-key: each policy of this team." placeholder:"SLUG"`
	Entity     string         `help:"What it would be about; matters to maintenance windows only." placeholder:"ID"`
	Zone       string         `help:"Zone in which times are said. Default: that of --at." placeholder:"ZONE"`
	JSON       bool           `name:"json" help:"Print the answer as JSON."`
	Remote     remote         `embed:"" group:"On a running server:"`
	Storage    config.Storage `embed:"" group:"Where the server is:"`
}

// Run prints the answer.
func (cmd *explainCmd) Run(ctx context.Context, c *console) error {
	at := time.Now()
	if cmd.At != "" {
		var err error
		if at, err = instant("--at", cmd.At); err != nil {
			return err
		}
	}
	ask := cmd.here
	if cmd.Remote.given() {
		ask = cmd.there
	}
	answer, err := ask(ctx, at)
	if err != nil {
		return err
	}
	if cmd.JSON {
		enc := json.NewEncoder(c.out)
		enc.SetIndent("", "  ")
		return enc.Encode(answer)
	}
	c.say(strings.TrimRight(answer.Text(), "\n"))
	return nil
}

// here asks the store itself, so that it works while no server runs.
func (cmd *explainCmd) here(ctx context.Context, at time.Time) (explain.Answer, error) {
	o, err := organisation(ctx, cmd.Storage)
	if err != nil {
		return explain.Answer{}, err
	}
	q := explain.Question{
		RoutingKey: cmd.RoutingKey, Severity: alert.Type(strings.ToLower(cmd.Severity)), At: at, EntityID: cmd.Entity,
		Windows: org.Sorted(o.Maintenance, func(w maintenance.Window) string { return string(w.ID) }),
	}
	if cmd.Zone != "" {
		if q.Zone, err = time.LoadLocation(cmd.Zone); err != nil {
			return explain.Answer{}, errors.New(phrase.T("cli.no_zone", cmd.Zone))
		}
	}
	if cmd.Team != "" {
		t, ok := o.TeamBySlug(cmd.Team)
		if !ok {
			return explain.Answer{}, errors.New(phrase.T("cli.user.no_team", cmd.Team))
		}
		q.Team = t.ID
	}
	if err := q.Validate(); err != nil {
		return explain.Answer{}, err
	}
	return explain.Explain(o, q), nil
}

func (cmd *explainCmd) there(ctx context.Context, at time.Time) (explain.Answer, error) {
	query := url.Values{"severity": {strings.ToLower(cmd.Severity)}, "at": {at.Format(time.RFC3339)}}
	for name, value := range map[string]string{"routing_key": cmd.RoutingKey, "team": cmd.Team, "entity_id": cmd.Entity, "zone": cmd.Zone} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return asked[explain.Answer](ctx, cmd.Remote, http.MethodGet, "/api/v1/explain?"+query.Encode(), nil)
}

// asked sends a request to the server and reads its answer.
func asked[T any](ctx context.Context, r remote, method, path string, body any) (T, error) {
	var answer T
	var sent []byte
	if body != nil {
		var err error
		if sent, err = json.Marshal(body); err != nil {
			return answer, fmt.Errorf("write request: %w", err)
		}
	}
	got, err := r.do(ctx, method, path, sent)
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(got, &answer); err != nil {
		return answer, fmt.Errorf("read the answer of %s: %w", r.URL, err)
	}
	return answer, nil
}

// organisation reads what a command needs that changes nothing.
func organisation(ctx context.Context, cfg config.Storage) (*org.Org, error) {
	s, err := openStore(ctx, cfg, false)
	if err != nil {
		return nil, err
	}
	o, err := s.Org(ctx)
	return o, errors.Join(err, s.Close())
}

// instant reads a time with its offset, for an hour may occur twice.
func instant(flag, text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, errors.New(phrase.T("cli.bad_instant", flag, text))
}

// as is the person that a command on the store itself acts for.
func (n *node) as(ctx context.Context, name string) (people.Actor, error) {
	if name == "" {
		return people.Actor{}, errors.New(phrase.T("cli.as"))
	}
	u, err := n.user(ctx, name)
	if err != nil {
		return people.Actor{}, err
	}
	by := people.Operator()
	by.User, by.Name, by.Role = u.ID, u.Name, u.Role
	return by, nil
}
