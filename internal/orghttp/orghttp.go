// Package orghttp lets an organisation be applied and exported as YAML: over
// HTTP on a running server, and, with the same code, by the command line on the
// store itself. What the YAML means is said in orgfile; saving goes through
// dispatch, so that permissions and the timeline are those of every change.
//
// New users have no password. Each of them gets an invitation, which is mailed
// when mail is configured; the links are returned too, to be handed over.
package orghttp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/auth"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/httpd"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/orgfile"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
)

// MaxBody is the longest YAML that is accepted over HTTP.
const MaxBody = 2 << 20

// Deps are what applying needs.
type Deps struct {
	Store    *store.Store
	Dispatch *dispatch.Dispatcher
	Accounts *account.Service
	Log      *slog.Logger
	// CheckProvider says what is wrong with the settings of a provider, whose
	// secrets are sealed; nil: only what is wrong with any provider is found.
	CheckProvider func(org.Provider) error
}

// Options say how to apply.
type Options struct {
	orgfile.Options
	DryRun   bool // only say what would be done
	NoInvite bool // new users get no invitation
}

// Applied is one thing that was done, or would be.
type Applied struct {
	Kind   org.Kind `json:"kind"`
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Action string   `json:"action"` // created, changed, deleted
	Fields []string `json:"fields,omitempty"`
}

// Invitation is the way in for one new user.
type Invitation struct {
	Username string `json:"username"`
	Link     string `json:"link"`
}

// Result is what applying did, or would do.
type Result struct {
	DryRun      bool         `json:"dry_run"`
	Applied     []Applied    `json:"applied"`
	Diff        string       `json:"diff"` // for people; "" when nothing changes
	Invitations []Invitation `json:"invitations"`
	Warnings    []string     `json:"warnings"` // what whoever applies should look at, in words
}

// Apply makes the organisation match a document, or says what that would do.
func Apply(ctx context.Context, d Deps, actor people.Actor, doc orgfile.Document, o Options) (Result, error) {
	result := Result{DryRun: o.DryRun, Applied: []Applied{}, Invitations: []Invitation{}, Warnings: []string{}}
	if !actor.May(people.Manage) {
		return result, forbidden()
	}
	o.Reader = actor.User
	var planned orgfile.Plan
	plan := func(have *org.Org) ([]org.Change, error) {
		p, err := doc.Plan(have, o.Options, orgfile.Maker{
			NewID: id.New, NewIntegration: d.Dispatch.NewIntegration, Sealed: d.Dispatch.Sealed, CheckProvider: d.CheckProvider, RoomSlug: dispatch.OwnSlug, Now: time.Now(),
		})
		if err != nil {
			return nil, fault.Invalid("", err.Error())
		}
		planned, result.Diff = p, p.Diff
		return p.Changes, nil
	}
	var done []org.Applied
	var err error
	if o.DryRun {
		var have *org.Org
		if have, err = d.Store.Org(ctx); err != nil {
			return result, fmt.Errorf("apply organisation: %w", err)
		}
		_, err = plan(have)
		done = planned.Applied
	} else {
		done, err = d.Dispatch.ChangeOrg(ctx, actor, plan)
	}
	if err != nil {
		return result, err
	}
	for _, a := range done {
		if planned.Shows(a) {
			result.Applied = append(result.Applied, Applied{a.Kind, a.ID, a.Name, a.Action, a.Fields})
		}
	}
	if !o.DryRun && !o.NoInvite {
		result.Invitations, err = invite(ctx, d, actor, done)
	}
	err = errors.Join(err, result.warn(ctx, d, planned.After))
	return result, err
}

// warn says when no administrator of after has a password, which is the only
// way to sign in. It is no refusal: an invitation or the command line helps.
func (r *Result) warn(ctx context.Context, d Deps, after *org.Org) error {
	var without []string
	for _, u := range org.Sorted(after.Users, func(u people.User) string { return u.Username }) {
		if u.Role != people.Admin || u.Disabled || u.Robot {
			continue
		}
		if has, err := d.Accounts.HasPassword(ctx, u.ID); has || err != nil {
			return err
		}
		without = append(without, u.Username)
	}
	if len(without) > 0 {
		r.Warnings = append(r.Warnings, phrase.N("cli.apply.locked", len(without), strings.Join(without, ", "), without[0]))
	}
	return nil
}

// invite comes after the commit: an invitation that is lost in a crash can be
// made again, an organisation that is half applied could not be told.
func invite(ctx context.Context, d Deps, actor people.Actor, done []org.Applied) ([]Invitation, error) {
	all := []Invitation{}
	for _, a := range done {
		if a.Kind != org.UserKind || a.Action != "created" {
			continue
		}
		var u people.User
		if err := json.Unmarshal(a.Body, &u); err != nil {
			return all, fmt.Errorf("invite %s: %w", a.Name, err)
		}
		if u.Disabled {
			continue
		}
		link, err := d.Accounts.Reinvite(ctx, actor, u.ID)
		if err != nil {
			return all, fmt.Errorf("invite %s: %w", u.Username, err)
		}
		all = append(all, Invitation{u.Username, link})
	}
	return all, nil
}

// Handlers returns the handlers for POST /api/v1/org/apply and GET
// /api/v1/org/export. Both take API tokens only: a browser has pages for this.
func Handlers(d Deps) (apply, export http.Handler) {
	h := handlers{d}
	a := httpd.Adapter{Log: d.Log, Render: httpd.WriteProblem}
	return a.Handle(h.apply), a.Handle(h.export)
}

type handlers struct{ d Deps }

func (h handlers) actor(r *http.Request) (people.Actor, error) {
	token, ok := auth.Bearer(r)
	if !ok {
		return people.Actor{}, fault.Unauthenticated(phrase.T("cli.org.token"))
	}
	return h.d.Accounts.AuthenticateToken(r.Context(), token)
}

func (h handlers) apply(w http.ResponseWriter, r *http.Request) error {
	actor, err := h.actor(r)
	if err != nil {
		return err
	}
	if !actor.May(people.Manage) {
		return forbidden() // before the body is read
	}
	var o Options
	for name, into := range map[string]*bool{"dry_run": &o.DryRun, "prune": &o.Prune, "no_invite": &o.NoInvite} {
		if *into, err = flag(r, name); err != nil {
			return err
		}
	}
	doc, err := document(w, r)
	if err != nil {
		return err
	}
	result, err := Apply(r.Context(), h.d, actor, doc, o)
	if err != nil {
		return err
	}
	data, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("write what was applied: %w", err)
	}
	return write(w, "application/json", append(data, '\n'))
}

// Request is the body of a request to apply as application/json: several files
// with their names, and the secrets that whoever sends them has looked up. Any
// other body is one file of YAML in which the secrets stand.
type Request struct {
	Files       []RequestFile     `json:"files"`
	Env         map[string]string `json:"env,omitempty"`
	SecretFiles []SecretFile      `json:"secret_files,omitempty"`
}

// RequestFile is one YAML file.
type RequestFile struct {
	Name string `json:"name"` // for messages
	Text string `json:"text"`
}

// SecretFile is the content of {file: Name} in one of the files.
type SecretFile struct {
	In   string `json:"in"`
	Name string `json:"name"`
	Text string `json:"text"`
}

// secrets never looks at the server's own environment or files.
func (q Request) secrets() orgfile.Secrets {
	return orgfile.Secrets{
		Env: func(name string) (string, bool) {
			value, ok := q.Env[name]
			return value, ok
		},
		File: func(in, name string) (string, error) {
			for _, f := range q.SecretFiles {
				if f.In == in && f.Name == name {
					return f.Text, nil
				}
			}
			return "", errors.New("its content was not sent")
		},
	}
}

func document(w http.ResponseWriter, r *http.Request) (orgfile.Document, error) {
	r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
	body, err := httpd.ReadBody(r)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return orgfile.Document{}, fault.TooLarge(phrase.T("cli.org.too_large", MaxBody))
	}
	if err != nil {
		return orgfile.Document{}, err
	}
	files, secrets := []orgfile.File{{Name: "body", Text: body}}, orgfile.Secrets{}
	if mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && mediaType == "application/json" {
		var q Request
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&q); err != nil {
			return orgfile.Document{}, fault.Invalid("", phrase.T("cli.org.unreadable")).Because(err)
		}
		files, secrets = nil, q.secrets()
		for _, f := range q.Files {
			files = append(files, orgfile.File{Name: f.Name, Text: []byte(f.Text)})
		}
	}
	doc, err := orgfile.Parse(files, secrets)
	if err != nil {
		return doc, fault.Invalid("", err.Error())
	}
	return doc, nil
}

// export asks for Manage too, because addresses of all people are in it.
func (h handlers) export(w http.ResponseWriter, r *http.Request) error {
	actor, err := h.actor(r)
	if err != nil {
		return err
	}
	if !actor.May(people.Read) || !actor.May(people.Manage) {
		return forbidden()
	}
	o, err := h.d.Store.Org(r.Context())
	if err != nil {
		return fmt.Errorf("export organisation: %w", err)
	}
	return write(w, "application/yaml; charset=utf-8", orgfile.ExportFor(o, actor.User).Encode())
}

func write(w http.ResponseWriter, contentType string, data []byte) error {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(data) // whoever asked may have left
	return nil
}

// flag reads a query parameter; present without a value means true.
func flag(r *http.Request, name string) (bool, error) {
	q := r.URL.Query()
	if !q.Has(name) {
		return false, nil
	}
	text := q.Get(name)
	if text == "" {
		return true, nil
	}
	yes, err := strconv.ParseBool(text)
	if err != nil {
		return false, fault.Invalid(name, phrase.T("cli.org.flag"))
	}
	return yes, nil
}

func forbidden() error { return fault.Forbidden(phrase.T("cli.org.forbidden")) }
