package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/api"
	"github.com/watchroom/watchroom/internal/auth"
	"github.com/watchroom/watchroom/internal/beat"
	"github.com/watchroom/watchroom/internal/carrier"
	vochat "github.com/watchroom/watchroom/internal/chat/victorops"
	"github.com/watchroom/watchroom/internal/chatopsrpc"
	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/demo"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/feed"
	"github.com/watchroom/watchroom/internal/health"
	"github.com/watchroom/watchroom/internal/hooks"
	"github.com/watchroom/watchroom/internal/httpd"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/ingest/victorops"
	"github.com/watchroom/watchroom/internal/live"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/orgfile"
	"github.com/watchroom/watchroom/internal/orghttp"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/slash"
	"github.com/watchroom/watchroom/internal/web"
	"github.com/watchroom/watchroom/internal/web/static"
)

// routes puts everything that answers over HTTP behind one handler. Alerts
// are taken in front of the shell: they need none of it, are many, and their
// senders follow no redirects.
func (a *App) routes() (http.Handler, error) {
	cfg := a.opts.Config
	public, err := url.Parse(cfg.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("public URL: %w", err)
	}
	mux := http.NewServeMux()
	pages := a.pages()
	pages.Register(mux)
	err = api.Register(mux, api.Deps{
		Store: a.Store, Dispatch: a.Dispatch, Accounts: a.Accounts, Stream: entries{a.Hub}, Files: a.talk.uploads, Authenticate: a.authenticate,
		Desk: a.talk.desk, Services: a.talk.services.states, Robots: a.chat.Connections, Log: a.opts.Log, PublicURL: public, AssetURL: static.URL, CheckProvider: carrier.Checker(a.box), CheckContact: carrier.CheckContact,
	})
	if err != nil {
		return nil, err
	}
	apply, export := orghttp.Handlers(orghttp.Deps{Store: a.Store, Dispatch: a.Dispatch, Accounts: a.Accounts, Log: a.opts.Log, CheckProvider: carrier.Checker(a.box)})
	mux.Handle("POST /api/v1/org/apply", apply)
	mux.Handle("GET /api/v1/org/export", export)
	hooks.Register(mux, hooks.Deps{Orgs: a.Store, Carriers: a.carriers, Events: a.Dispatch, Log: a.opts.Log})
	pageErrors := httpd.Adapter{Log: a.opts.Log, Render: httpd.WriteProblem}
	mux.Handle(feed.Pattern, pageErrors.Handle(feed.New(a.Dispatch, a.Store, cfg.PublicURL).Serve))
	published := a.publisher()
	mux.Handle("GET "+chatopsrpc.PublishPath, published)
	mux.Handle("POST "+chatopsrpc.PublishPath+"/{method}", published)
	a.operatorRoutes(mux)
	show := httpd.ProblemsUnder(pages.ShowProblem, "/api/", "/healthz", "/readyz", "/metrics")
	shell, err := httpd.Handler(mux, httpd.Options{
		Log: a.opts.Log, PublicURL: public, Render: show, TrustedProxies: cfg.Proxies(),
		CrossSiteExempt: append(web.CrossSiteExempt(), hooks.CrossSiteExempt()...), BodyLimit: a.bodyLimit,
	})
	if err != nil {
		return nil, fmt.Errorf("put the handlers together: %w", err)
	}
	longest := int64(cfg.MaxAlertBody)
	intake := httpd.LimitBody(func(*http.Request) int64 { return longest })( // for its limit of time
		victorops.New(acceptor{a}, victorops.HandlerOptions{MaxBody: longest, Log: a.opts.Log}))
	beats := httpd.LimitBody(func(*http.Request) int64 { return maxBeatBody })(beat.New(a.Dispatch, a.opts.Log))
	answers := httpd.LimitBody(nil)(a.talk.replies)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, victorops.Prefix):
			intake.ServeHTTP(w, r)
			return
		case strings.HasPrefix(r.URL.Path, beat.Prefix): // its address is the key: it stands in no log
			beats.ServeHTTP(w, r)
			return
		case strings.HasPrefix(r.URL.Path, slash.ReplyPath): // so is this one's
			answers.ServeHTTP(w, r)
			return
		case r.URL.Path == vochat.Path: // robots follow no redirects, and take the connection over
			a.chat.ServeHTTP(w, r)
			return
		}
		shell.ServeHTTP(w, r)
	}), nil
}

// maxBeatBody is how much a job may say when it calls in; nobody reads it.
const maxBeatBody = 64 << 10

// filesPath is where files come in.
const filesPath = "/files"

// formOverhead is what a form adds to the file in it.
const formOverhead = 64 << 10

// bodyLimit is how long a request's body may be, in front of what each handler says itself.
func (a *App) bodyLimit(r *http.Request) int64 {
	if r.URL.Path == filesPath || r.URL.Path == api.FilesPath {
		return int64(a.opts.Config.MaxUpload) + formOverhead
	}
	if r.URL.Path == "/api/v1/org/apply" {
		return orghttp.MaxBody
	}
	return httpd.DefaultBodyLimit
}

func (a *App) pages() *web.Server {
	deps := web.Deps{
		Store: a.Store, Dispatch: a.Dispatch, Accounts: a.Accounts, Live: a.Hub, Signer: a.box.Signer(), PublicURL: a.opts.Config.PublicURL,
		MailConfigured: a.mailer != nil, Demo: a.opts.Demo, Log: a.opts.Log, Carriers: a.carriers, Box: a.box,
		Uploads: a.talk.uploads, Complete: a.talk.bot.Complete, Press: a.talk.bot.Press,
		Desk: a.talk.desk, Services: a.talk.services.states, Robots: a.chat.Connections, SecretsOf: a.secretsOf, Unusable: a.unusable, Try: a.talk.bot.Try, Declared: func() []command.Declaration { return a.talk.catalogue.Tree().All() },
		Export: func(o *org.Org) ([]byte, error) { return orgfile.Export(o).Encode(), nil },
	}
	if a.mailbox != nil {
		deps.Mailbox = a.mails
	}
	return web.New(deps)
}

// operatorRoutes are for those who run the server.
func (a *App) operatorRoutes(mux *http.ServeMux) {
	adapter := httpd.Adapter{Log: a.opts.Log, Render: httpd.WriteProblem}
	handle := func(pattern string, h httpd.HandlerFunc) { mux.Handle(pattern, adapter.Handle(h)) }
	handle("GET /healthz", func(w http.ResponseWriter, _ *http.Request) error {
		return writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	handle("GET /readyz", a.ready)
	handle("GET /metrics", a.metrics)
	if a.opts.Demo {
		handle("GET "+demo.Enter, a.enter)
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n')) // whoever asked may have left
	return nil
}

func (a *App) metrics(w http.ResponseWriter, r *http.Request) error {
	switch a.opts.Config.Metrics {
	case "on":
	case "token":
		token, ok := auth.Bearer(r)
		if !ok {
			w.Header().Set("WWW-Authenticate", "Bearer")
			return fault.Unauthenticated("")
		}
		actor, err := a.Accounts.AuthenticateToken(r.Context(), token)
		if err != nil {
			return err
		}
		if !actor.May(people.Read) {
			return fault.Forbidden("")
		}
	default:
		return fault.NotFound("")
	}
	a.meters.handler().ServeHTTP(w, r)
	return nil
}

// authenticate says who sits in front of a browser that calls the API.
func (a *App) authenticate(r *http.Request) (people.Actor, error) {
	actor, _, err := a.Accounts.Authenticate(r.Context(), a.cookies().Token(r))
	return actor, err
}

func (a *App) cookies() auth.Cookies {
	return auth.Cookies{Secure: strings.HasPrefix(a.opts.Config.PublicURL, "https://")}
}

// acceptor gives alerts to dispatch and counts them.
type acceptor struct{ app *App }

func (t acceptor) Integration(ctx context.Context, key string) (id.Integration, bool, error) {
	return t.app.Dispatch.Integration(ctx, key)
}

func (t acceptor) Accept(ctx context.Context, a alert.Alert) (alert.Alert, error) {
	began := time.Now()
	accepted, err := t.app.Dispatch.Accept(ctx, a)
	t.app.meters.accepted(a, err, time.Since(began))
	if fault.Is(err, fault.CodeUnavailable) {
		return accepted, fmt.Errorf("%w: %w", victorops.ErrBusy, err)
	}
	return accepted, err
}

// entries is the live timeline as the API knows it.
type entries struct{ hub *live.Hub }

func (e entries) Subscribe(ctx context.Context, after id.Seq) (api.Subscription, error) {
	s, err := e.hub.Subscribe(ctx, after)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// are up to date, and nothing has been waiting for long.
func (a *App) ready(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	answer := struct {
		Status   string   `json:"status"`
		Findings []string `json:"findings,omitempty"`
	}{Status: "ok"}
	report, err := health.Check(ctx, a.Store, time.Now())
	if err != nil {
		a.opts.Log.ErrorContext(ctx, "not ready", "err", err)
		answer.Status, answer.Findings = "unavailable", []string{phrase.T("app.no_store")}
		return writeJSON(w, http.StatusServiceUnavailable, answer)
	}
	if report.Ready {
		return writeJSON(w, http.StatusOK, answer)
	}
	answer.Status = "unavailable"
	for _, f := range report.Findings {
		if f.Area == health.Machine {
			answer.Findings = append(answer.Findings, f.Text)
		}
	}
	return writeJSON(w, http.StatusServiceUnavailable, answer)
}

// mails are what the demo's mailbox has taken, as the pages show them.
func (a *App) mails() []web.Mail {
	taken := a.mailbox.Messages()
	all := make([]web.Mail, len(taken))
	for i, m := range taken {
		all[i] = web.Mail{ID: m.ID, At: m.ReceivedAt, From: m.From, To: m.To, Subject: m.Subject, Text: m.Text, HTML: m.HTML}
	}
	return all
}
