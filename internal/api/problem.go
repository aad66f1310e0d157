package api

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/httpd"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Codes that only HTTP knows.
const (
	codePrecondition fault.Code = "precondition_failed"
	codeMediaType    fault.Code = "unsupported_media_type"
)

// problem is an error with a status that no fault stands for.
type problem struct{ httpd.Problem }

func (p *problem) Error() string { return string(p.Code) + ": " + p.Detail }

func preconditionFailed(current string) error {
	return &problem{httpd.Problem{
		Status: http.StatusPreconditionFailed, Code: codePrecondition, Detail: phrase.T("api.changed_meanwhile"),
		Extra: map[string]any{"etag": current},
	}}
}

// Problem is an error, as RFC 9457 has it.
type Problem struct {
	Title   string   `json:"title" doc:"The name of the status."`
	Status  int      `json:"status" doc:"The HTTP status."`
	Code    string   `json:"code" enum:"invalid,unauthenticated,forbidden,not_found,gone,conflict,precondition_failed,too_large,unsupported_media_type,too_many,unavailable,internal" doc:"What kind of trouble it is; stable, for programs to compare."`
	Detail  string   `json:"detail,omitempty" doc:"A sentence for people."`
	Field   string   `json:"field,omitempty" doc:"The first input that was wrong, such as steps[0].after."`
	Errors  []Wrong  `json:"errors,omitempty" nullable:"false" doc:"Every input that was wrong."`
	Request string   `json:"request,omitempty" doc:"The number under which the server's log has it."`
	By      string   `json:"by,omitempty" doc:"Conflicts: who was first."`
	At      string   `json:"at,omitempty" doc:"Conflicts: when that was."`
	State   string   `json:"state,omitempty" doc:"Conflicts: the state the incident is in."`
	_       struct{} `additionalProperties:"true"`
}

// Wrong is one input that was not as documented.
type Wrong struct {
	In      string `json:"in" enum:"body,query,path,header" doc:"Where it was."`
	Field   string `json:"field" doc:"Which it was; empty for the whole body."`
	Message string `json:"message" doc:"What is expected."`
}

// refuse is huma's transformer: it takes what huma itself found wrong with a
// request out of its hands.
func refuse(ctx huma.Context, _ string, v any) (any, error) {
	if model, ok := v.(*huma.ErrorModel); ok {
		c := callOf(ctx.Context())
		c.err = wrong(model, c.body)
	}
	return v, nil
}

// wrong turns huma's error into ours: one code and one place for a bad request,
// whichever part of it was bad.
func wrong(model *huma.ErrorModel, body error) error {
	if httpd.ProblemOf(body).Status == http.StatusRequestEntityTooLarge {
		return body
	}
	if body != nil {
		return fault.Invalid("", phrase.T("auth.http.body_cut")).Because(body)
	}
	switch model.Status {
	case http.StatusRequestEntityTooLarge:
		return fault.TooLarge(phrase.T("api.too_large"))
	case http.StatusUnsupportedMediaType:
		return &problem{httpd.Problem{Status: model.Status, Code: codeMediaType, Detail: phrase.T("api.media_type")}}
	case http.StatusNotAcceptable, http.StatusInternalServerError:
		return fault.Internal(model)
	}
	if len(model.Errors) == 0 {
		return fault.Invalid("", phrase.T("api.no_body"))
	}
	list := make([]Wrong, len(model.Errors))
	for i, e := range model.Errors {
		list[i] = place(e)
	}
	first := list[0]
	if first.Field == "" {
		return fault.Invalid("", phrase.T("api.bad_body", first.Message)).With("errors", list)
	}
	return fault.Invalid(first.Field, phrase.T("api.bad_field", first.Field, first.Message)).With("errors", list)
}

// place names the input as the sender spells it: huma says "body.steps[0].after",
// and names a missing property only in its message.
func place(e *huma.ErrorDetail) Wrong {
	where, field, _ := strings.Cut(e.Location, ".")
	w := Wrong{In: where, Field: field, Message: e.Message}
	before, after, _ := strings.Cut(validation.MsgExpectedRequiredProperty, "%s")
	if name, ok := strings.CutPrefix(e.Message, before); ok {
		if name, ok = strings.CutSuffix(name, after); ok {
			w.Field = strings.TrimPrefix(field+"."+name, ".")
			w.Message = phrase.T("api.required")
		}
	}
	return w
}
