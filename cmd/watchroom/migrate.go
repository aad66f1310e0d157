package main

import (
	"context"
	"errors"
	"runtime"
	"runtime/debug"

	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/phrase"
)

type migrateCmd struct {
	Storage config.Storage `embed:""`
}

// Run opens the store, which does it.
func (cmd *migrateCmd) Run(ctx context.Context, c *console) error {
	s, err := openStore(ctx, cmd.Storage, true)
	if err != nil {
		return err
	}
	applied, _, err := s.Version(ctx)
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	c.say(phrase.T("cli.migrate.done", applied))
	return nil
}

type versionCmd struct{}

// Run prints what the compiler wrote down.
func (versionCmd) Run(c *console) error {
	version, revision, dirty := "(devel)", "", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				revision = " " + s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				dirty = "+"
			}
		}
	}
	c.say("watchroom " + version + revision + dirty + " " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH)
	return nil
}
