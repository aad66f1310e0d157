package httpd

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/phrase"
)

// codeMethodNotAllowed exists only here: the use cases know no methods.
const codeMethodNotAllowed fault.Code = "method_not_allowed"

// Status returns the HTTP status that stands for code; an unknown one is internal.
func Status(code fault.Code) int {
	switch code {
	case fault.CodeInvalid:
		return http.StatusBadRequest
	case fault.CodeUnauthenticated:
		return http.StatusUnauthorized
	case fault.CodeForbidden:
		return http.StatusForbidden
	case fault.CodeNotFound:
		return http.StatusNotFound
	case fault.CodeGone:
		return http.StatusGone
	case fault.CodeConflict:
		return http.StatusConflict
	case fault.CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.CodeTooMany:
		return http.StatusTooManyRequests
	case fault.CodeUnavailable:
		return http.StatusServiceUnavailable
	case codeMethodNotAllowed:
		return http.StatusMethodNotAllowed
	default:
		return http.StatusInternalServerError
	}
}

// Problem is an error as the other side may see it. In JSON it is RFC 9457
// problem details; Code, Field, Request and the members of Extra are extensions.
type Problem struct {
	Status     int
	Code       fault.Code
	Detail     string // a sentence for people; "" only until it is rendered
	Field      string
	Request    string // the number under which the log has it
	RetryAfter time.Duration
	Extra      map[string]any
}

// Renderer shows p as the response to r: it sets the content type, calls
// WriteHeader(p.Status) and writes a body. Detail is never empty then, and the
// headers that follow from p (Retry-After, WWW-Authenticate) are set already.
type Renderer func(w http.ResponseWriter, r *http.Request, p Problem)

// unavailable is an error of something that is away and may be back: the
// database. The sentence is for people.
type unavailable interface {
	error
	Unavailable() (sentence string, retryAfter time.Duration)
}

// ProblemOf returns what may be shown of err. Besides faults it knows what is
// unavailable, and the errors of net/http for a body over the limit and of a
// deadline that passed.
func ProblemOf(err error) Problem {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		p := Problem{Status: Status(f.Code), Code: f.Code, RetryAfter: f.RetryAfter}
		if p.Status == http.StatusInternalServerError {
			p.Code = fault.CodeInternal
			return p // whatever it says was not meant for people
		}
		p.Detail, p.Field, p.Extra = f.Message, f.Field, f.Extra
		return p
	}
	if away, ok := errors.AsType[unavailable](err); ok {
		p := Problem{Status: http.StatusServiceUnavailable, Code: fault.CodeUnavailable}
		p.Detail, p.RetryAfter = away.Unavailable()
		return p
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return Problem{
			Status: http.StatusRequestEntityTooLarge, Code: fault.CodeTooLarge,
			Detail: phrase.T("auth.http.too_large.limit", tooLarge.Limit),
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return Problem{Status: http.StatusServiceUnavailable, Code: fault.CodeUnavailable}
	}
	return Problem{Status: http.StatusInternalServerError, Code: fault.CodeInternal}
}

func methodNotAllowed(method string) Problem {
	return Problem{
		Status: http.StatusMethodNotAllowed, Code: codeMethodNotAllowed,
		Detail: phrase.T("auth.http.method_not_allowed", method),
	}
}

// Title returns the short name of the problem's kind.
func (p Problem) Title() string { return http.StatusText(p.Status) }

// MarshalJSON writes RFC 9457 members. The type is about:blank, left out as the
// RFC allows: code is what programs compare.
func (p Problem) MarshalJSON() ([]byte, error) {
	m := maps.Clone(p.Extra)
	if m == nil {
		m = map[string]any{}
	}
	m["title"], m["status"], m["code"] = p.Title(), p.Status, p.Code
	for name, value := range map[string]string{"detail": p.Detail, "field": p.Field, "request": p.Request} {
		if value != "" {
			m[name] = value
		}
	}
	return json.Marshal(m)
}

// WriteProblem is the Renderer of APIs: application/problem+json.
func WriteProblem(w http.ResponseWriter, _ *http.Request, p Problem) {
	body, err := json.Marshal(p)
	if err != nil { // Extra holds something that is no JSON; the rest still tells enough
		p.Extra = nil
		body, _ = json.Marshal(p)
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // a client that has left is no error of ours
}

// ProblemsUnder shows errors under the given path prefixes as problem+json and
// all others with page.
func ProblemsUnder(page Renderer, prefixes ...string) Renderer {
	return func(w http.ResponseWriter, r *http.Request, p Problem) {
		for _, prefix := range prefixes {
			if strings.HasPrefix(r.URL.Path, prefix) {
				WriteProblem(w, r, p)
				return
			}
		}
		page(w, r, p)
	}
}

// render completes p and shows it with show, nil being WriteProblem.
func render(w http.ResponseWriter, r *http.Request, show Renderer, p Problem) {
	p.Request = RequestID(r.Context())
	if p.Detail == "" {
		p.Detail = phrase.T("auth.http." + string(p.Code))
		if p.Code == fault.CodeInternal {
			p.Detail = phrase.T("auth.http.internal", p.Request)
		}
	}
	h := w.Header()
	for _, name := range []string{"Content-Length", "Content-Encoding", "Content-Disposition", "Etag", "Last-Modified"} {
		h.Del(name) // of the answer that did not come to be
	}
	h.Set("Cache-Control", "no-store") // an error must not outlive its cause in a cache
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.RetryAfter.Seconds()))))
	}
	if p.Status == http.StatusUnauthorized && h.Get("WWW-Authenticate") == "" {
		// Browsers do not ask for a password for a scheme they do not know.
		h.Set("WWW-Authenticate", `Bearer realm="watchroom"`)
	}
	if show == nil {
		show = WriteProblem
	}
	show(w, r, p)
}
