package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/health"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
)

type checkCmd struct {
	JSON     bool            `name:"json" help:"Print the whole report as JSON."`
	Storage  config.Storage  `embed:""`
	Uploads  config.Uploads  `embed:""`
	Programs config.Programs `embed:""`
}

// Run prints the report.
func (cmd *checkCmd) Run(ctx context.Context, c *console) error {
	s, err := openStore(ctx, cmd.Storage, false)
	if err != nil {
		return err
	}
	now := time.Now()
	report, err := cmd.look(ctx, s, now)
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	if cmd.JSON {
		enc := json.NewEncoder(c.out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(report); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	} else {
		showReport(c, report, now)
	}
	if !report.OK {
		return errSilent
	}
	return nil
}

func (cmd *checkCmd) look(ctx context.Context, s *store.Store, now time.Time) (health.Report, error) {
	if err := s.TryWrite(ctx); err != nil && !store.IsAway(err) { // what is away is reported
		return health.Report{}, err
	}
	report, err := health.Check(ctx, s, now.UTC())
	if err != nil {
		return report, err
	}
	report.Notes = append(report.Notes, findReadable(cmd.Storage)...)
	if err := report.FollowAudit(ctx, s); err != nil {
		return report, err
	}
	files, err := findFiles(ctx, s, cmd.Uploads.Place(cmd.Storage))
	report.Add(files...)
	report.Add(findSecrets(cmd.Programs.Commands)...)
	return report, err
}

func showReport(c *console, r health.Report, now time.Time) {
	c.say(phrase.T("cli.check.store", r.Store, r.Schema, r.Seq, r.Org))
	c.say(phrase.T("cli.check.open", r.Open.Triggered, r.Open.Acknowledged))
	for _, l := range r.Lag {
		key := "cli.check.follower"
		if l.Behind {
			key = "cli.check.follower_behind"
		}
		c.say(phrase.T(key, l.Follower, l.Seq))
	}
	if k := r.Kept; !k.Since.IsZero() && k.Limit {
		c.say(phrase.T("cli.check.kept", k.Since.Format(time.DateOnly), k.RanAt.Format(time.RFC3339)))
	} else if !k.Since.IsZero() {
		c.say(phrase.T("cli.check.kept_all", k.Since.Format(time.DateOnly)))
	}
	if a := r.Audit; a != nil {
		c.say(phrase.N("cli.check.audit", int(a.Verified)))
	}
	c.say("\n" + phrase.T("cli.check.next"))
	if len(r.NextTimers)+len(r.WaitingDeliveries) == 0 {
		c.say("  " + phrase.T("cli.check.nothing"))
	}
	for _, t := range r.NextTimers {
		c.say("  " + phrase.T("cli.check.timer", when(t.DueAt, now), phrase.T("cli.check.timer."+string(t.Kind)), t.Incident))
	}
	for _, d := range r.WaitingDeliveries {
		text := phrase.T("cli.check.notice", when(d.DueAt, now), d.Person, d.Attempt)
		if d.Incident != 0 {
			text = phrase.T("cli.check.page", when(d.DueAt, now), d.Person, d.Incident, d.Attempt)
		}
		c.say("  " + text)
	}
	c.say("\n" + phrase.T("cli.check.wrong"))
	if r.OK {
		c.say("  " + phrase.T("cli.check.nothing"))
	}
	for _, f := range r.Findings {
		c.say("  " + f.Object + ": " + f.Text)
	}
	if len(r.Notes) == 0 {
		return
	}
	c.say("\n" + phrase.T("cli.check.notes"))
	for _, f := range r.Notes {
		c.say("  " + f.Object + ": " + f.Text)
	}
}

func when(at, now time.Time) string {
	by := at.Sub(now).Truncate(time.Second)
	if by < 0 {
		return phrase.T("cli.check.ago", -by)
	}
	return phrase.T("cli.check.in", by)
}
