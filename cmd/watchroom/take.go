package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/watchroom/watchroom/internal/api"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/phrase"
)

type takeCmd struct {
	Rotation string        `required:"" help:"Name or slug of the rotation." placeholder:"ROTATION"`
	From     string        `help:"Username or e-mail address of whose duty it is. Default: whoever is on duty." placeholder:"USER"`
	Until    string        `help:"Until when, such as 2027-03-28T18:00:00+02:00. Default: the end of their shift." placeholder:"TIME" xor:"until"`
	For      time.Duration `help:"Instead of --until: for how long, such as 2h." placeholder:"DURATION" xor:"until"`
	Note     string        `help:"Shown to everybody." placeholder:"TEXT"`
	As       string        `help:"Who takes it: username or e-mail address. With --url it is whom the token stands for." placeholder:"USER"`
	Remote   remote        `embed:"" group:"On a running server:"`
	Access   access        `embed:""`
}

// Run says who is on duty now, and until when.
func (cmd *takeCmd) Run(ctx context.Context, c *console) error {
	var until time.Time
	if cmd.Until != "" {
		var err error
		if until, err = instant("--until", cmd.Until); err != nil {
			return err
		}
	}
	if cmd.For > 0 {
		until = time.Now().Add(cmd.For)
	}
	if cmd.Remote.given() {
		body := api.TakeBody{Rotation: id.Slug(cmd.Rotation), From: cmd.From, Note: cmd.Note}
		if !until.IsZero() {
			body.Until = &until
		}
		made, err := asked[api.OverrideView](ctx, cmd.Remote, http.MethodPost, "/api/v1/oncall/take", body)
		if err != nil {
			return err
		}
		var end time.Time
		if made.End != nil {
			end = *made.End
		}
		taken(c, made.Person.Name, cmd.Rotation, end)
		return nil
	}
	return cmd.Access.with(ctx, c, false, func(n *node) error {
		by, err := n.as(ctx, cmd.As)
		if err != nil {
			return err
		}
		o, err := n.store.Org(ctx)
		if err != nil {
			return err
		}
		r, err := rotationNamed(o, cmd.Rotation)
		if err != nil {
			return err
		}
		t := dispatch.Take{Rotation: r.ID, Until: until, Note: cmd.Note}
		if cmd.From != "" {
			u, err := n.user(ctx, cmd.From)
			if err != nil {
				return err
			}
			t.From = u.ID
		}
		made, err := n.dispatch.TakeOnCall(ctx, by, t)
		if err != nil {
			return err
		}
		taken(c, by.Name, r.Name, made.End)
		return nil
	})
}

func taken(c *console, who, rotation string, until time.Time) {
	if until.IsZero() {
		c.say(phrase.T("cli.take.open", who, rotation))
		return
	}
	c.say(phrase.T("cli.take.until", who, rotation, until.Local().Format(time.RFC3339)))
}

type handBackCmd struct {
	Rotation string `required:"" help:"Name or slug of the rotation: what was taken in it." placeholder:"ROTATION"`
	As       string `help:"Who has taken it, or whom it was taken from: username or e-mail address. With --url it is whom the token stands for." placeholder:"USER"`
	Remote   remote `embed:"" group:"On a running server:"`
	Access   access `embed:""`
}

// Run ends what was taken, and says who is on duty now.
func (cmd *handBackCmd) Run(ctx context.Context, c *console) error {
	if cmd.Remote.given() {
		slug := id.Slug(cmd.Rotation)
		if _, err := asked[api.HandedBack](ctx, cmd.Remote, http.MethodPost, "/api/v1/oncall/handback", api.HandBackBody{Rotation: slug}); err != nil {
			return err
		}
		now, err := asked[api.OnCall](ctx, cmd.Remote, http.MethodGet, "/api/v1/oncall?"+url.Values{"at": {time.Now().Format(time.RFC3339)}}.Encode(), nil)
		if err != nil {
			return err
		}
		for _, r := range now.Rotations {
			if r.Slug == slug {
				var names []string
				for _, d := range r.Now {
					names = append(names, d.Person.Name)
				}
				handedBack(c, r.Name, names)
			}
		}
		return nil
	}
	return cmd.Access.with(ctx, c, false, func(n *node) error {
		by, err := n.as(ctx, cmd.As)
		if err != nil {
			return err
		}
		o, err := n.store.Org(ctx)
		if err != nil {
			return err
		}
		r, err := rotationNamed(o, cmd.Rotation)
		if err != nil {
			return err
		}
		now, ended := time.Now(), 0
		for _, v := range org.Sorted(o.Overrides, func(v oncall.Override) string { return string(v.ID) }) {
			running := !v.Start.After(now) && (v.End.IsZero() || v.End.After(now))
			if v.Rotation != r.ID || v.Kind != oncall.Taken || !running || v.User != by.User && v.For != by.User {
				continue
			}
			if err := n.dispatch.HandBack(ctx, by, v.ID); err != nil {
				return err
			}
			ended++
		}
		if ended == 0 {
			return errors.New(phrase.T("cli.handback.nothing", by.Name, r.Name))
		}
		if o, err = n.store.Org(ctx); err != nil {
			return err
		}
		var names []string
		for _, s := range o.OnCall(r.ID, time.Now()) {
			names = append(names, o.UserName(s.User))
		}
		handedBack(c, r.Name, names)
		return nil
	})
}

func handedBack(c *console, rotation string, now []string) {
	if len(now) == 0 {
		c.say(phrase.T("cli.handback.nobody", rotation))
		return
	}
	c.say(phrase.T("cli.handback.done", join(now), rotation))
}

// rotationNamed finds a rotation by its name or the slug of it.
func rotationNamed(o *org.Org, name string) (oncall.Rotation, error) {
	r, ok := o.RotationBySlug(id.Slug(name))
	if !ok {
		var names []string
		for _, other := range o.Rotations {
			names = append(names, other.Name)
		}
		return r, errors.New(phrase.T("cli.no_rotation", name, sorted(names)))
	}
	return r, nil
}
