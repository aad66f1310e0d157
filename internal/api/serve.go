package api

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/watchroom/watchroom/internal/auth"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/httpd"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/timeline"
)

// call is one request on its way through huma, which reads and checks the
// input and writes the answer. Errors are not huma's to write: they are kept
// here and become a response in httpd, as everywhere.
type call struct {
	actor people.Actor
	err   error
	body  error // what reading the body ended with, when that was not its end
}

type callKey struct{}

func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// handle registers the handler of an operation of the table.
func handle[I, O any](a *api, opID string, h func(ctx context.Context, by people.Actor, in *I) (*O, error)) {
	op := a.describe(a.take(opID))
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		c := callOf(ctx)
		out, err := h(ctx, c.actor, in)
		if err != nil {
			c.err = err
			return nil, nil //nolint:nilerr // kept in c; huma then writes a bare status, which held keeps back
		}
		return out, nil
	})
}

// take returns the operation and notes that it has its handler.
func (a *api) take(opID string) Operation {
	op, ok := a.ops[opID]
	if !ok {
		panic("api: no operation " + opID + ", or it is registered twice")
	}
	delete(a.ops, opID)
	return op
}

// plain registers a handler that reads and writes by itself.
func (a *api) plain(op Operation, h func(http.ResponseWriter, *http.Request, people.Actor) error) {
	a.mux.Handle(op.Pattern(), a.shell.Handle(func(w http.ResponseWriter, r *http.Request) error {
		by, err := a.admit(r, op)
		if err != nil {
			return answer(w, r, err)
		}
		return answer(w, r, h(w, r, by))
	}))
}

// router puts huma's operations on the mux, inside our own error handling.
type router struct{ *api }

// Handle implements huma.Adapter.
func (ro *router) Handle(hop *huma.Operation, h func(huma.Context)) {
	op, _ := hop.Metadata[metaOperation].(Operation)
	ro.plain(op, func(w http.ResponseWriter, r *http.Request, by people.Actor) error {
		c := &call{actor: by}
		r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
		h(&held{humaContext: humago.NewContext(hop, r, w), call: c})
		return c.err
	})
}

// ServeHTTP implements huma.Adapter.
func (ro *router) ServeHTTP(w http.ResponseWriter, r *http.Request) { ro.mux.ServeHTTP(w, r) }

// humaContext is huma.Context under a name that its own method Context leaves free.
type humaContext huma.Context

// held is a huma.Context that writes nothing once the call has failed.
type held struct {
	humaContext
	call *call
}

func (c *held) SetStatus(status int) {
	if c.call.err == nil {
		c.humaContext.SetStatus(status)
	}
}

func (c *held) BodyWriter() io.Writer {
	if c.call.err != nil {
		return io.Discard
	}
	return c.humaContext.BodyWriter()
}

func (c *held) BodyReader() io.Reader { return watched{c.humaContext.BodyReader(), c.call} }

// watched remembers why reading broke off, which huma forgets.
type watched struct {
	io.Reader
	call *call
}

func (r watched) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.call.body = err
	}
	return n, err
}

// admit says who asks and refuses those who may not. It has looked at nothing
// but the headers.
func (a *api) admit(r *http.Request, op Operation) (people.Actor, error) {
	if op.Public {
		return people.Actor{}, nil
	}
	by, err := a.who(r)
	if err != nil {
		return by, err
	}
	if op.Permission == "" || by.May(op.Permission) {
		return by, nil
	}
	key := "api.forbidden.role"
	if by.Role.May(op.Permission) {
		key = "api.forbidden.scope"
	}
	return by, fault.Forbidden(phrase.T(key, op.Permission)).With("permission", string(op.Permission))
}

// who decides by the token alone when there is one, so that a request which
// passed as a program's is never judged by somebody's cookie.
func (a *api) who(r *http.Request) (people.Actor, error) {
	token, ok := auth.Bearer(r)
	var by people.Actor
	var err error
	if ok {
		by, err = a.Accounts.AuthenticateToken(r.Context(), token)
	} else {
		if by, err = a.Authenticate(r); err == nil && by.LacksFactor {
			err = fault.Forbidden(phrase.T("factor_web.setup.forced"))
		}
	}
	if by.Origin != timeline.Robot { // whose lines are marked as a program's
		by.Origin = timeline.API
	}
	return by, err
}

// answer writes the few problems for which no use case has a code, and leaves
// every other error to httpd.
func answer(w http.ResponseWriter, r *http.Request, err error) error {
	p, ok := errors.AsType[*problem](err)
	if !ok {
		return err
	}
	p.Request = httpd.RequestID(r.Context())
	w.Header().Set("Cache-Control", "no-store")
	httpd.WriteProblem(w, r, p.Problem)
	return nil
}
