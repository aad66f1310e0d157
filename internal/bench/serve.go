package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/pprof"

	"github.com/watchroom/watchroom/internal/app"
	"github.com/watchroom/watchroom/internal/config"
)

// publicURL is what the links in the measured mails begin with.
const publicURL = "http://watchroom.bench.example"

// Serve is the node under measurement, in a process of its own. It ends when
// ctx or its standard input does: a node never outlives the one who measures.
func Serve(ctx context.Context, args []string) (err error) {
	cfg := config.Default()
	cfg.MessageRate = 0 // what a room carries is measured, not what one person may say
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.StringVar(&cfg.Data, "data", "", "folder")
	flags.StringVar(&cfg.Database, "database", "", "postgres:// URL")
	flags.StringVar(&cfg.Listen, "listen", "", "address")
	flags.StringVar(&cfg.SMTPURL, "smtp", "", "mail server; none: no outgoing mail")
	profile := flags.String("profile", "", "file for a CPU profile")
	if err := flags.Parse(args); err != nil {
		return err
	}
	cfg.PublicURL = publicURL
	if cfg.SMTPURL != "" {
		cfg.MailFrom = "Watchroom <pager@bench.example>"
	}
	if cfg, err = cfg.Complete(); err != nil {
		return err
	}
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return errors.Join(fmt.Errorf("profile: %w", err), f.Close())
		}
		defer func() {
			pprof.StopCPUProfile()
			err = errors.Join(err, f.Close())
		}()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	return app.Run(ctx, app.Options{
		Config: cfg, Stdout: io.Discard,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
}
