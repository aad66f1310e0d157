// Package web is the browser's side of Watchroom: it turns requests into use
// cases, and what they return into the view models that package view draws.
//
// There is one table of routes (Routes), each with the permission it needs;
// the guard in front of them asks for a sign-in, refuses what the role does not
// allow, and hands the handler a visit that says who is there. Whatever
// changes something goes through dispatch or account, never through the store,
// so that the browser can do nothing the API could not, and the other way round.
//
// Every page works with plain links and forms. Errors are returned: httpd's
// adapter logs them and ShowProblem draws them. Protection against other
// sites, security headers, body limits and compression are httpd's.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/auth"
	"github.com/watchroom/watchroom/internal/bot"
	"github.com/watchroom/watchroom/internal/carrier"
	commands "github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/httpd"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/live"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/runner"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/upload"
	"github.com/watchroom/watchroom/internal/web/static"
)

// Deps is what the pages need. Export may be nil, then it is not offered.
type Deps struct {
	Store          *store.Store
	Dispatch       *dispatch.Dispatcher
	Accounts       *account.Service
	Live           *live.Hub
	Signer         *secret.Signer                         // of the links in mailed pages
	PublicURL      string                                 // as browsers and senders see the server, without a slash at the end
	MailConfigured bool                                   // pages can leave the house
	Carriers       *carrier.Set                           // who carries pages; nil: what needs them is not offered
	Box            carrier.Sealer                         // of providers' secrets; nil: they cannot be changed
	Unusable       func() []bot.Problem                   // commands that there would be; nil: none
	SecretsOf      func(commandID string) []SecretState   // of a command; nil: none has any
	Services       func() []bot.Service                   // whose commands are ours; nil: none
	Robots         func() map[id.Robot]dispatch.RobotLink // those connected to this node; nil: it does not know
	Demo           bool
	Uploads        *upload.Service // takes and gives files; nil: there are none
	// Complete says how the line of a command, without what addresses it, can go
	// on at a byte; nil: not at all.
	Complete func(ctx context.Context, actor people.Actor, in id.Room, line string, at int) (commands.Completion, error)
	// Declared are all commands, and Try says what a line would be without running
	// it. Desk is nil when they are: there are no commands then.
	Declared func() []commands.Declaration
	Try      func(ctx context.Context, as people.Actor, in id.Room, line string) (bot.Trial, error)
	Desk     *runner.Desk
	// Press gives the command behind a button, or answers one; nil: there are no buttons.
	Press   func(ctx context.Context, actor people.Actor, token string) (invocation.Invocation, error)
	Now     func() time.Time                 // nil: time.Now
	Export  func(o *org.Org) ([]byte, error) // the organisation as YAML
	Mailbox func() []Mail                    // the demo's mails, newest first; nil: there is no mailbox
	Log     *slog.Logger
}

// Server answers browsers.
type Server struct {
	Deps
	cookies auth.Cookies
	tests   *auth.Limiter // test pages, by person

	presence presence
	crowds   crowds
	marks    marks
	streams  openStreams
	sent     nonces // what was posted lately
}

// Test pages: a few at once, then one every while.
const (
	testEvery = 30 * time.Second
	testBurst = 5
)

// New returns a Server.
func New(d Deps) *Server {
	d.PublicURL = strings.TrimSuffix(d.PublicURL, "/")
	if d.Now == nil {
		d.Now = time.Now
	}
	return &Server{
		Deps:    d,
		cookies: auth.Cookies{Secure: strings.HasPrefix(d.PublicURL, "https://")},
		tests:   auth.NewLimiter(testEvery, testBurst, 1000),
	}
}

// Route is one address.
type Route struct {
	Pattern    string            // of http.ServeMux, with its method: "GET /settings/teams"
	Permission people.Permission // "": nobody needs to be signed in
	Handler    httpd.HandlerFunc
}

// Routes is the one table of all pages and forms.
func (s *Server) Routes() []Route {
	var all []Route
	for _, part := range [][]Route{
		s.commandRoutes(), s.maintenanceRoutes(), s.heartbeatRoutes(), s.robotRoutes(), s.drillRoutes(),
		s.homeRoutes(), s.roomRoutes(), s.messageRoutes(), s.fileRoutes(), s.pictureRoutes(), s.searchRoutes(), s.timelineRoutes(), s.incidentRoutes(), s.onCallRoutes(), s.actionLinkRoutes(), s.mailboxRoutes(),
		s.signInRoutes(), s.factorRoutes(), s.stepUpRoutes(), s.settingsRoutes(), s.retentionRoutes(), s.profileRoutes(), s.peopleRoutes(), s.teamRoutes(),
		s.rotationRoutes(), s.policyRoutes(), s.routingRoutes(), s.integrationRoutes(), s.providerRoutes(), s.explainRoutes(), s.pushRoutes(),
	} {
		all = append(all, part...)
	}
	return all
}

// Register mounts every route and the static files.
func (s *Server) Register(mux *http.ServeMux) {
	adapter := httpd.Adapter{Log: s.Log, Render: s.ShowProblem}
	for _, route := range s.Routes() {
		mux.Handle(route.Pattern, adapter.Handle(s.guard(route)))
	}
	mux.Handle("GET "+static.Prefix, static.Handler())
}

// organisation is the organisation as of now.
func (s *Server) organisation(ctx context.Context) (*org.Org, error) { return s.Store.Org(ctx) }
