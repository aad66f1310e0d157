package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/watchroom/watchroom/internal/auth"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// metaOperation is where huma's operation keeps ours.
const metaOperation = "operation"

const (
	schemaPrefix  = "#/components/schemas/"
	jsonType      = "application/json"
	problemType   = "application/problem+json"
	securityToken = "token"
	securityPage  = "session"
)

// unmarshal refuses wrong bytes, which would otherwise be kept as U+FFFD.
func unmarshal(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New(phrase.T("api.not_utf8"))
	}
	return huma.DefaultJSONFormat.Unmarshal(data, v)
}

// config is huma without anything that it would serve by itself.
func (a *api) config() huma.Config {
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: phrase.T("api.title"), Description: phrase.T("api.about"), Version: "1"},
		Servers: []*huma.Server{{URL: strings.TrimSuffix(a.address(), "/")}},
		Components: &huma.Components{
			Schemas: huma.NewMapRegistry(schemaPrefix, schemaName),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				securityToken: {Type: "http", Scheme: "bearer", Description: phrase.T("api.security.token")},
				securityPage: {
					Type: "apiKey", In: "cookie", Name: auth.Cookies{Secure: a.PublicURL != nil && a.PublicURL.Scheme == "https"}.Name(),
					Description: phrase.T("api.security.session"),
				},
			},
		},
	}
	for _, name := range tags {
		doc.Tags = append(doc.Tags, &huma.Tag{Name: name})
	}
	format := huma.Format{
		Marshal:   huma.DefaultJSONFormat.Marshal,
		Unmarshal: unmarshal,
	}
	return huma.Config{
		OpenAPI:                      doc,
		Formats:                      map[string]huma.Format{jsonType: format, "json": format},
		DefaultFormat:                jsonType,
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{refuse},
	}
}

// schemaName keeps the payloads of the timeline apart from what they are about.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case strings.HasSuffix(t.PkgPath(), "/timeline"):
		return "Entry" + name
	case strings.HasSuffix(t.PkgPath(), "/explain"): // some are called as ours are
		return "Explained" + name
	}
	return strings.TrimSuffix(name, "View")
}

// describe is an operation as huma knows it.
func (a *api) describe(op Operation) huma.Operation {
	schemas := a.huma.OpenAPI().Components.Schemas
	described := huma.Operation{
		Method: op.Method, Path: op.Path, OperationID: op.ID, Tags: []string{op.Tag},
		Summary: op.Summary(), Description: op.Description(),
		Metadata:   map[string]any{metaOperation: op},
		Extensions: map[string]any{"x-permission": permissionText(op)},
		Responses: map[string]*huma.Response{"default": {
			Description: phrase.T("api.problem"),
			Content: map[string]*huma.MediaType{
				problemType: {Schema: schemas.Schema(reflect.TypeFor[Problem](), true, "")},
			},
		}},
	}
	if op.Public {
		described.Security = []map[string][]string{{}}
	} else {
		described.Security = []map[string][]string{{securityToken: {}}, {securityPage: {}}}
	}
	switch {
	case op.Method == http.MethodDelete, nothing[op.ID]:
		described.DefaultStatus = http.StatusNoContent
	case created[op.ID]:
		described.DefaultStatus = http.StatusCreated
	}
	return described
}

// created are the operations whose answer is 201.
var created = map[string]bool{
	"open-incident": true, "post-message": true, "invite-user": true, "create-team": true, "create-rotation": true, "create-policy": true,
	"create-routing-key": true, "create-integration": true, "create-token": true, "test-integration": true,
	"take-oncall": true, "create-override": true, "ask-swap": true, "create-absence": true, "create-holidays": true, "create-feed": true, "add-contact": true,
	"create-heartbeat": true, "renew-heartbeat-key": true, "create-robot": true, "renew-robot-key": true, "start-maintenance": true, "plan-drill": true, "create-provider": true,
	"open-room": true, "say": true, "upload-file": true, "run-job-again": true, "take-lock": true,
}

// nothing are the operations that answer with nothing but 204.
var nothing = map[string]bool{
	"send-contact-code": true, "verify-contact": true, "test-contact": true, "end-maintenance": true, "end-drill": true,
	"join-room": true, "leave-room": true, "close-room": true, "reopen-room": true, "mark-room-read": true, "mark-message-unread": true,
	"edit-message": true, "add-reaction": true, "pin-message": true, "link-message": true,
}

func permissionText(op Operation) string {
	switch {
	case op.Public:
		return "none"
	case op.Permission == "":
		return "signed_in"
	}
	return string(op.Permission)
}

// registerDocument serves the OpenAPI document and the page that shows it.
// Everything else must be registered before.
func (a *api) registerDocument() {
	doc := a.huma.OpenAPI()
	// huma describes its own errors beside every operation; none of them is ever sent.
	delete(doc.Components.Schemas.Map(), "ErrorModel")
	delete(doc.Components.Schemas.Map(), "ErrorDetail")
	asJSON, asYAML, page := a.take("openapi-json"), a.take("openapi-yaml"), a.take("documentation")
	for op, contentType := range map[*Operation]string{&asJSON: "application/openapi+json", &asYAML: "application/openapi+yaml", &page: "text/html"} {
		described := a.describe(*op)
		described.Responses["200"] = &huma.Response{
			Description: http.StatusText(http.StatusOK),
			Content:     map[string]*huma.MediaType{contentType: {}},
		}
		doc.AddOperation(&described)
	}
	leaveRoom(doc)
	a.serveText(asJSON, "application/openapi+json", func() ([]byte, error) {
		text, err := json.MarshalIndent(doc, "", "  ")
		return append(text, '\n'), err
	})
	a.serveText(asYAML, "application/openapi+yaml", doc.YAML)
	a.serveText(page, "text/html; charset=utf-8", func() ([]byte, error) { return renderDocs(doc, a.AssetURL) })
}

// leaveRoom lets answers have members that are not documented yet: a client
// made from today's document must take tomorrow's answers. What is sent to us
// stays strict, so that a misspelt name is an error and not a wish unheard.
func leaveRoom(doc *huma.OpenAPI) {
	sent := map[*huma.Schema]bool{}
	var mark func(*huma.Schema)
	mark = func(s *huma.Schema) {
		if s == nil {
			return
		}
		if s.Ref != "" {
			s = doc.Components.Schemas.SchemaFromRef(s.Ref)
		}
		if sent[s] {
			return
		}
		sent[s] = true
		mark(s.Items)
		for _, p := range s.Properties {
			mark(p)
		}
	}
	for _, op := range Operations {
		if d := documented(doc, op); d != nil && d.RequestBody != nil {
			if sent := d.RequestBody.Content[jsonType]; sent != nil { // a file has no members
				mark(sent.Schema)
			}
		}
	}
	for _, s := range doc.Components.Schemas.Map() {
		if strict, ok := s.AdditionalProperties.(bool); ok && !strict && !sent[s] {
			s.AdditionalProperties = nil
		}
	}
}

// serveText serves a text that is written when somebody first asks for it:
// many times its size is needed for that, and most nodes are never asked.
func (a *api) serveText(op Operation, contentType string, write func() ([]byte, error)) {
	type text struct {
		body []byte
		tag  string
	}
	once := sync.OnceValues(func() (text, error) {
		body, err := write()
		if err != nil {
			return text{}, fmt.Errorf("write %s: %w", op.ID, err)
		}
		return text{body, etag(body)}, nil
	})
	a.plain(op, func(w http.ResponseWriter, r *http.Request, _ people.Actor) error {
		t, err := once()
		if err != nil {
			return err
		}
		w.Header().Set("ETag", t.tag)
		if strings.Contains(r.Header.Get("If-None-Match"), t.tag) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(t.body) // a client that has left is no error of ours
		return nil
	})
}

var _ huma.Adapter = (*router)(nil)
