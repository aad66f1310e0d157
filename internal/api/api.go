package api

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/watchroom/watchroom/internal/bot"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/httpd"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/live"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/runner"
	"github.com/watchroom/watchroom/internal/store"
)

// Stream delivers entries after seq in order until ctx ends or the reader is
// too slow.
type Stream interface {
	Subscribe(ctx context.Context, after id.Seq) (Subscription, error)
}

// Subscription is one reader of a Stream.
type Subscription interface {
	// Next waits for events and returns them in order, each entry once over all
	// calls. When ctx ends first it returns the error of ctx and has lost
	// nothing; any other error ends the subscription.
	Next(ctx context.Context) ([]live.Event, error)
	Close()
}

// Deps is what the API stands on.
type Deps struct {
	Store    *store.Store
	Dispatch *dispatch.Dispatcher
	Desk     *runner.Desk
	Accounts Accounts
	Stream   Stream
	Files    Files // nil: there are none
	// StreamsPerToken is how many event streams one token, or one person's browsers, may have open here; 0: mostStreams.
	StreamsPerToken int
	Services        func() []bot.Service // whose commands are ours; nil: none
	// Authenticate says who sits in front of a browser, by its session cookie.
	// Nobody is fault.CodeUnauthenticated.
	Authenticate func(*http.Request) (people.Actor, error)
	// Robots are those connected to this node; nil: it does not know.
	Robots    func() map[id.Robot]dispatch.RobotLink
	Log       *slog.Logger
	PublicURL *url.URL                 // where the server is seen from outside
	AssetURL  func(name string) string // the address of a static file, for the page of documentation
	Now       func() time.Time         // nil: time.Now
	// CheckProvider says what is wrong with the settings of a provider, whose
	// secrets are sealed; nil: only what is wrong with any provider is found.
	CheckProvider func(org.Provider) error
	// CheckContact says what is wrong with the address of a contact method and
	// its secret, beyond what people.Contact knows; nil checks nothing.
	CheckContact func(m people.Method, address, secret string) error
}

// api is the handlers with what they need.
type api struct {
	Deps
	shell httpd.Adapter
	mux   *http.ServeMux
	huma  huma.API
	ops   map[string]Operation // by id, those not registered yet
	crowd crowd                // of open event streams
}

// Register adds every route of the API, its OpenAPI document and its page of
// documentation to mux. It fails only on a mistake in this package.
func Register(mux *http.ServeMux, deps Deps) error {
	a := &api{Deps: deps, mux: mux, shell: httpd.Adapter{Log: deps.Log, Render: httpd.WriteProblem}, ops: map[string]Operation{}, crowd: crowd{most: cmp.Or(deps.StreamsPerToken, mostStreams)}}
	for _, op := range Operations {
		a.ops[op.ID] = op
	}
	a.huma = huma.NewAPI(a.config(), &router{a})
	a.registerIncidents()
	a.registerTimeline()
	a.registerJobs()
	a.registerServices()
	a.registerAlerts()
	a.registerOnCall()
	a.registerOverrides()
	a.registerSwaps()
	a.registerAbsences()
	a.registerHolidays()
	a.registerFeeds()
	a.registerExplain()
	a.registerUsers()
	a.registerContacts()
	a.registerTeams()
	a.registerRotations()
	a.registerPolicies()
	a.registerKeys()
	a.registerIntegrations()
	a.registerHeartbeats()
	a.registerRobots()
	a.registerMaintenance()
	a.registerDrills()
	a.registerProviders()
	a.registerSettings()
	a.registerTokens()
	a.registerSearch()
	a.registerDocument()
	for name := range a.ops {
		return fmt.Errorf("api: operation %s has no handler", name)
	}
	return nil
}

// address is where a path of ours is seen from outside.
func (a *api) address(path ...string) string {
	if a.PublicURL == nil {
		return (&url.URL{Path: "/"}).JoinPath(path...).String()
	}
	return a.PublicURL.JoinPath(path...).String()
}

func (a *api) now() time.Time {
	if a.Now != nil {
		return a.Now().UTC()
	}
	return time.Now().UTC()
}
