package main

import (
	"context"

	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/script"
)

// commandCmd is about commands of one's own.
type commandCmd struct {
	Install commandInstallCmd `cmd:"" help:"Ask an executable for its manifest, and write it beside it."`
}

type commandInstallCmd struct {
	File string `arg:"" help:"The executable." type:"existingfile"`
}

// Run writes the manifest.
func (c *commandInstallCmd) Run(ctx context.Context, out *console) error {
	installed, err := script.Install(ctx, c.File, script.Options{})
	if err != nil {
		return err
	}
	out.say(phrase.T("cli.command.installed", installed.Declaration.Name(), installed.Declaration.Summary))
	return nil
}
