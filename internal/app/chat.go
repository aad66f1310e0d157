package app

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/blob"
	"github.com/watchroom/watchroom/internal/bot"
	"github.com/watchroom/watchroom/internal/builtin"
	"github.com/watchroom/watchroom/internal/herald"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/outbound"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/runner"
	"github.com/watchroom/watchroom/internal/script"
	"github.com/watchroom/watchroom/internal/slash"
	"github.com/watchroom/watchroom/internal/upload"
	"github.com/watchroom/watchroom/internal/web"
)

// talk is what a node needs for conversation: files, the bot and its commands.
type talk struct {
	uploads   *upload.Service
	scripts   *script.Folder
	services  *services
	catalogue *bot.Catalogue
	desk      *runner.Desk
	bot       *bot.Bot
	runner    *runner.Runner
	herald    *herald.Herald
	replies   *slash.Replies // later answers of webhooks
}

// lookersAtOnce is how many pictures are made smaller at the same time.
const lookersAtOnce = 2

// looksBetween is how many looks of other loops pass between two at the file of services.
const looksBetween = 5

func (a *App) openTalk() error {
	cfg, log := a.opts.Config, a.opts.Log
	bucket, err := blob.Open(cfg.Place(cfg.Storage))
	if err != nil {
		return fmt.Errorf("files: %w", err)
	}
	a.onClose(bucket.Close)
	scanner, err := blob.NewScanner(cfg.ScanCommand)
	if err != nil {
		return fmt.Errorf("scan command: %w", err)
	}
	t := &a.talk
	t.uploads = upload.New(a.Store, bucket, blob.Intake{
		Policy:    blob.Policy{MaxBytes: int64(cfg.MaxUpload), Refuse: blob.Executables()},
		Inspector: blob.NewInspector(lookersAtOnce), Scanner: scanner,
	}, log)
	t.scripts = script.Open(cfg.Commands, script.Options{User: cfg.CommandsUser, Log: log}, a.warnOfScripts)
	a.warnOfScripts()
	client := func(timeout time.Duration) *http.Client {
		if a.opts.HTTP != nil {
			return a.opts.HTTP
		}
		return outbound.Policy{AllowPrivate: cfg.AllowPrivateTargets}.Client(timeout)
	}
	public, err := url.Parse(cfg.PublicURL)
	if err != nil {
		return fmt.Errorf("public URL: %w", err)
	}
	t.replies = slash.NewReplies(a.box.Derive("slash"), cfg.PublicURL, a.later, log)
	t.services = openServices(&services{
		folder: cfg.Commands, client: client, replies: t.replies, team: public.Hostname(), every: looksBetween * a.opts.Look, log: log,
	})
	deps := &builtin.Deps{Store: a.Store, Dispatch: a.Dispatch, PublicURL: cfg.PublicURL}
	tour := &bot.Tour{Carried: func(o *org.Org, m people.Method) bool { return len(a.carriers.For(o, m)) > 0 }}
	if t.catalogue, err = bot.NewCatalogue(bot.Builtin(builtin.Commands(deps), tour), scripts{t.scripts}, t.services); err != nil {
		return fmt.Errorf("commands: %w", err)
	}
	for _, p := range t.catalogue.Problems() {
		log.Warn("command that cannot be used", "from", p.From, "err", p.Why)
	}
	judge := bot.NewJudge(t.catalogue, log)
	t.desk = runner.NewDesk(a.Store, judge, t.catalogue, a.box, log)
	t.bot = bot.New(a.Store, a.Dispatch, t.desk, judge, log, a.opts.Look)
	tour.Of(t.bot)
	deps.Desk, deps.Allowed, deps.Explain = t.bot.Table(), t.bot.Allowed, t.bot.Explain
	host, err := os.Hostname()
	if err != nil {
		host = a.holder
	}
	t.runner = runner.New(runner.Config{
		Store: a.Store, Desk: t.desk, Files: t.uploads, Log: log, Holder: a.holder, Host: host, Interval: a.opts.Look, Secrets: a.commandSecrets,
	})
	t.herald = herald.New(a.Store, a.box, log, cfg.PublicURL, a.opts.Look)
	return nil
}

// scripts is a folder of executables as a source of commands.
type scripts struct{ *script.Folder }

// Commands implements bot.Source.
func (s scripts) Commands() []bot.Entry {
	var all []bot.Entry
	for _, c := range s.Folder.Commands() {
		all = append(all, bot.Entry{Declaration: c.Declaration, Program: c})
	}
	return all
}

// commandSecrets are those of one command and of no other.
func (a *App) commandSecrets(_ context.Context, inv invocation.Invocation) (map[string]string, error) {
	c := a.talk.scripts.Find(inv.Command)
	if c == nil {
		return nil, nil
	}
	return c.ReadSecrets()
}

// secretsOf says of each secret that a command of ours needs what is wrong with
// it; "" when it is there.
func (a *App) secretsOf(commandID string) []web.SecretState {
	c := a.talk.scripts.Find(commandID)
	if c == nil {
		return nil
	}
	var all []web.SecretState
	lacks := c.Lacks()
	for _, name := range c.Secrets {
		row := web.SecretState{Name: name}
		if i := slices.IndexFunc(lacks, func(l script.Lack) bool { return l.Secret == name }); i >= 0 {
			row.Problem = lacks[i].Sentence()
		}
		all = append(all, row)
	}
	return all
}

// unusable are the commands of our own that there would be if nothing were wrong
// with them.
func (a *App) unusable() []bot.Problem {
	var all []bot.Problem
	for _, p := range a.talk.scripts.Problems() {
		all = append(all, bot.Problem{From: p.File, Why: p.Why()})
	}
	for _, err := range a.talk.services.now.Load().problems {
		all = append(all, bot.Problem{From: script.ServicesFile, Why: err.Error()})
	}
	return append(all, a.talk.catalogue.Problems()...)
}

// warnOfScripts says in the log what is wrong with the folder of commands.
func (a *App) warnOfScripts() {
	log := a.opts.Log
	for _, p := range a.talk.scripts.Problems() {
		log.Warn("command that cannot be used", "file", p.File, "err", p.Err)
	}
	for _, c := range a.talk.scripts.Commands() {
		for _, l := range c.Lacks() {
			log.Warn("command lacks a secret", "file", c.Name(), "secret", l.Secret, "place", l.Place, "err", l.Err)
		}
	}
}
