package api

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/phrase"
)

//go:embed docs.html
var docsHTML string

// The page of documentation is made of the OpenAPI document and nothing else,
// so that it says what that says. It needs no script and no other host.
type (
	docsPage struct {
		Title, About string
		JSON, YAML   string
		Styles       []string
		Icon         string
		Chapters     []docsChapter
		Schemas      []docsSchema
	}
	docsChapter struct {
		Name, Anchor string
		Operations   []docsOperation
	}
	docsOperation struct {
		ID, Method, Path     string
		Summary, Description string
		Permission           any
		Params               []docsField
		Body                 *docsType
		Answers              []docsAnswer
		Curl                 string
	}
	docsField struct {
		Name, In, Meaning string
		Required          bool
		Type              docsType
	}
	docsAnswer struct {
		Status, Meaning string
		Type            docsType
	}
	docsSchema struct {
		Name, Anchor, Meaning string
		Properties            []docsField
	}
	// docsType is a type in words: "list of " and the name it links to.
	docsType struct{ Before, Text, Link string }
)

// maxDepth bounds examples, should a schema ever hold itself.
const maxDepth = 12

// docsStyles are the style sheets of the site that the page uses.
var docsStyles = []string{"app.css", "docs.css"}

func renderDocs(doc *huma.OpenAPI, asset func(string) string) ([]byte, error) {
	t, err := template.New("docs").Funcs(template.FuncMap{
		"t": func(key string) string { return phrase.T("api.docs." + key) },
	}).Parse(docsHTML)
	if err != nil {
		return nil, fmt.Errorf("parse documentation: %w", err)
	}
	page := docsPage{
		Title: doc.Info.Title, About: doc.Info.Description, JSON: prefix + "/openapi.json", YAML: prefix + "/openapi.yaml",
		Chapters: docsChapters(doc), Schemas: docsSchemas(doc),
	}
	if asset != nil {
		for _, name := range docsStyles {
			page.Styles = append(page.Styles, asset(name))
		}
		page.Icon = asset("favicon.svg")
	}
	var html bytes.Buffer
	if err := t.Execute(&html, page); err != nil {
		return nil, fmt.Errorf("render documentation: %w", err)
	}
	return html.Bytes(), nil
}

func docsChapters(doc *huma.OpenAPI) []docsChapter {
	var chapters []docsChapter
	for _, tag := range doc.Tags {
		c := docsChapter{Name: tag.Name, Anchor: "chapter-" + id.Slug(tag.Name)}
		for _, op := range Operations { // in our order; the document's paths have none
			if op.Tag == tag.Name {
				c.Operations = append(c.Operations, describeForPeople(doc, documented(doc, op)))
			}
		}
		chapters = append(chapters, c)
	}
	return chapters
}

// documented finds an operation of ours in the document; nil when it is not there.
func documented(doc *huma.OpenAPI, op Operation) *huma.Operation {
	item := doc.Paths[op.Path]
	if item == nil {
		return nil
	}
	switch op.Method {
	case http.MethodGet:
		return item.Get
	case http.MethodPost:
		return item.Post
	case http.MethodPut:
		return item.Put
	case http.MethodPatch:
		return item.Patch
	case http.MethodDelete:
		return item.Delete
	}
	return nil
}

func describeForPeople(doc *huma.OpenAPI, op *huma.Operation) docsOperation {
	d := docsOperation{
		ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary, Description: op.Description,
		Permission: op.Extensions["x-permission"], Curl: curl(doc, op),
	}
	for _, p := range op.Parameters {
		d.Params = append(d.Params, docsField{Name: p.Name, In: p.In, Required: p.Required, Meaning: p.Description, Type: typeOf(p.Schema)})
	}
	if op.RequestBody != nil {
		t := docsType{Text: op.RequestBody.Description}
		if sent := op.RequestBody.Content[jsonType]; sent != nil {
			t = typeOf(sent.Schema)
		}
		d.Body = &t
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		r := op.Responses[status]
		a := docsAnswer{Status: status, Meaning: r.Description}
		for _, contentType := range slices.Sorted(maps.Keys(r.Content)) {
			if s := r.Content[contentType].Schema; s != nil {
				a.Type = typeOf(s)
			}
		}
		d.Answers = append(d.Answers, a)
	}
	return d
}

func docsSchemas(doc *huma.OpenAPI) []docsSchema {
	schemas := doc.Components.Schemas.Map()
	var all []docsSchema
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		s := schemas[name]
		d := docsSchema{Name: name, Anchor: "schema-" + name, Meaning: s.Description}
		for _, property := range slices.Sorted(maps.Keys(s.Properties)) {
			p := s.Properties[property]
			d.Properties = append(d.Properties, docsField{
				Name: property, Required: slices.Contains(s.Required, property), Meaning: p.Description, Type: typeOf(p),
			})
		}
		all = append(all, d)
	}
	return all
}

func typeOf(s *huma.Schema) docsType {
	switch {
	case s == nil:
		return docsType{}
	case s.Ref != "":
		name := strings.TrimPrefix(s.Ref, schemaPrefix)
		return docsType{Text: name, Link: "schema-" + name}
	case len(s.AnyOf) > 0:
		return docsType{Text: phrase.T("api.docs.any_of", len(s.AnyOf))}
	case s.Items != nil:
		t := typeOf(s.Items)
		t.Before = phrase.T("api.docs.list_of") + t.Before
		return t
	case len(s.Enum) > 0:
		words := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			words[i] = fmt.Sprint(v)
		}
		return docsType{Text: strings.Join(words, " | ")}
	case s.Format != "" && s.Format != "int64" && s.Format != "int32":
		return docsType{Text: s.Type + " (" + s.Format + ")"}
	}
	return docsType{Text: s.Type}
}

// curl is a line to try; $TOKEN is a token of the reader's.
func curl(doc *huma.OpenAPI, op *huma.Operation) string {
	path := op.Path
	for _, p := range op.Parameters {
		if p.In == "path" {
			path = strings.ReplaceAll(path, "{"+p.Name+"}", exampleName(op.Tags[0], p.Name))
		}
		if p.In == "query" && p.Required {
			path += "?" + p.Name + "=disk"
		}
	}
	var b strings.Builder
	b.WriteString("curl ")
	if op.Method != http.MethodGet {
		b.WriteString("-X " + op.Method + " ")
	}
	if _, streams := op.Responses["200"]; streams && op.Responses["200"].Content[eventStream] != nil {
		b.WriteString("-N ")
	}
	if len(op.Security) > 0 && len(op.Security[0]) > 0 {
		b.WriteString(`-H "Authorization: Bearer $TOKEN" `)
	}
	if op.RequestBody != nil && op.RequestBody.Content[jsonType] == nil {
		b.WriteString("-F file=@graph.png ")
	} else if op.RequestBody != nil {
		// Quotes in a shell word are the reader's trouble; no example has one.
		body, err := json.Marshal(exampleOf(doc, op.RequestBody.Content[jsonType].Schema, 0))
		if err == nil {
			b.WriteString("-H 'Content-Type: application/json' \\\n  -d '" + string(body) + "' \\\n  ")
		}
	}
	server := ""
	if len(doc.Servers) > 0 {
		server = doc.Servers[0].URL
	}
	b.WriteString("'" + server + path + "'")
	return b.String()
}

// exampleName is what a thing of a chapter goes by.
func exampleName(tag, parameter string) string {
	switch parameter {
	case "seq":
		return "42"
	case "room":
		return "timeline"
	case "id":
	default:
		return "01kay8zq4tfs60r2m9c7b5x3hd"
	}
	switch tag {
	case tagUsers:
		return "max"
	case tagContacts:
		return "me"
	case tagTeams:
		return "ops"
	case tagRotations:
		return "primary"
	case tagPolicies, tagKeys:
		return "database"
	case tagIntegrations:
		return "nagios"
	case tagOnCall, tagMaintenance, tagDrills, tagProviders, tagTokens:
		return "01kay8zq4tfs60r2m9c7b5x3hd"
	}
	return "42"
}

// exampleOf makes a value that a schema describes: what is required, and what
// comes with an example of its own.
func exampleOf(doc *huma.OpenAPI, s *huma.Schema, depth int) any {
	switch {
	case s == nil || depth > maxDepth:
		return nil
	case s.Ref != "":
		return exampleOf(doc, doc.Components.Schemas.SchemaFromRef(s.Ref), depth+1)
	case len(s.Examples) > 0:
		return s.Examples[0]
	case len(s.Enum) > 0:
		return s.Enum[0]
	}
	switch s.Type {
	case huma.TypeObject:
		object := map[string]any{}
		for name, p := range s.Properties {
			if slices.Contains(s.Required, name) || len(p.Examples) > 0 && len(s.Required) == 0 {
				object[name] = exampleOf(doc, p, depth+1)
			}
		}
		return object
	case huma.TypeArray:
		return []any{exampleOf(doc, s.Items, depth+1)}
	case huma.TypeInteger, huma.TypeNumber:
		return 42
	case huma.TypeBoolean:
		return false
	}
	switch s.Format {
	case "email":
		return "kim@example.org"
	case "date-time":
		return "2026-01-05T09:00:00Z"
	}
	return "database"
}
