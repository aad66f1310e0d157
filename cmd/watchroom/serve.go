package main

import (
	"context"
	"log/slog"

	"github.com/watchroom/watchroom/internal/app"
	"github.com/watchroom/watchroom/internal/config"
)

type serveCmd struct {
	Config config.Config `embed:""`
}

// Run serves until ctx ends.
func (cmd *serveCmd) Run(ctx context.Context, c *console) error {
	cfg, err := cmd.Config.Complete()
	if err != nil {
		return err
	}
	log := logger(c, cfg.Logging)
	log.DebugContext(ctx, "settings", "config", cfg)
	return app.Run(ctx, app.Options{Config: cfg, Log: log, Stdout: c.out})
}

type demoCmd struct {
	// Everybody who reaches a demo is its administrator.
	Site    config.Site    `embed:"" set:"listen=localhost:8080"`
	Logging config.Logging `embed:""`
}

// Run serves a demo until ctx ends.
func (cmd *demoCmd) Run(ctx context.Context, c *console) error {
	cfg := config.Default()
	cfg.Site, cfg.Logging = cmd.Site, cmd.Logging
	cfg, err := cfg.Complete()
	if err != nil {
		return err
	}
	return app.Run(ctx, app.Options{Config: cfg, Log: logger(c, cfg.Logging), Stdout: c.out, Demo: true})
}

// logger writes to standard error; standard output is for people who look.
func logger(c *console, cfg config.Logging) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.LogLevel)); err != nil {
		level = slog.LevelInfo // Validate has refused it already
	}
	o := &slog.HandlerOptions{Level: level}
	if cfg.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(c.err, o))
	}
	return slog.New(slog.NewTextHandler(c.err, o))
}
