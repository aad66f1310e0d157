package app

import (
	"net/http"
	"os"
	"time"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/selfwatch"
	"github.com/watchroom/watchroom/internal/watch"
)

// callTimeout is how long somebody who watches us, or is told that we are in
// trouble, may take to answer.
const callTimeout = 20 * time.Second

// openWatches prepares who looks after the rotas and after the server itself.
func (a *App) openWatches() error {
	cfg := a.opts.Config
	a.rota = watch.New(a.Store, a.box, watch.Options{PublicURL: cfg.PublicURL, Mail: a.mailer != nil}, a.opts.Log, a.holder, a.opts.Look)
	var mail notify.Provider
	if a.mailer != nil { // a nil pointer in the interface would not be nil
		mail = a.mailer
	}
	host, err := os.Hostname()
	if err != nil { // it only names us in an alarm
		host = a.holder
	}
	own := selfwatch.Config{
		BeatURL: cfg.HeartbeatURL, BeatEvery: cfg.HeartbeatEvery, SyntheticEvery: cfg.SyntheticEvery, AlarmTo: cfg.AlarmTo, AlarmURL: cfg.AlarmURL,
	}
	if err := own.Validate(); err != nil {
		return err
	}
	a.self = selfwatch.New(own, selfwatch.Deps{
		Store: a.Store, Box: a.box, Client: &http.Client{Timeout: callTimeout}, Mail: mail, Log: a.opts.Log, Node: a.holder, Host: host,
	})
	return nil
}
