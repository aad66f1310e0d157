package api_test

import (
	"flag"
	"html"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/api"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestDocumentIsGolden(t *testing.T) {
	got := newHouse(t).do("", http.MethodGet, "/api/v1/openapi.json", "").Text
	golden := filepath.Join("testdata", "openapi.json")
	if *update {
		if err := os.MkdirAll("testdata", 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the API has changed; if that is meant, run go test ./internal/api -update (-want +got):\n%s", diff)
	}
}

func TestDocumentIsWhole(t *testing.T) {
	h := newHouse(t)
	doc := h.want(h.do("", http.MethodGet, "/api/v1/openapi.json", ""), http.StatusOK)
	if v, _ := doc.at("openapi").(string); !strings.HasPrefix(v, "3.1.") {
		t.Errorf("openapi is %q, want 3.1", v)
	}
	paths, _ := doc.at("paths").(map[string]any)
	documented := 0
	for _, item := range paths {
		ops, _ := item.(map[string]any)
		documented += len(ops)
	}
	if documented != len(api.Operations) {
		t.Errorf("%d operations are documented, want %d", documented, len(api.Operations))
	}
	for _, op := range api.Operations {
		at := func(member ...any) any {
			return doc.at(append([]any{"paths", op.Path, strings.ToLower(op.Method)}, member...)...)
		}
		for member, want := range map[string]any{"operationId": op.ID, "summary": op.Summary(), "description": op.Description()} {
			if at(member) != want || want == "" || strings.HasPrefix(op.Summary()+op.Description(), "api.") {
				t.Errorf("%s: %s is %v, want %v", op.Pattern(), member, at(member), want)
			}
		}
		if at("tags", 0) != op.Tag || op.Tag == "" {
			t.Errorf("%s: tag is %v, want %s", op.Pattern(), at("tags", 0), op.Tag)
		}
		permission := string(op.Permission)
		if permission == "" {
			permission = map[bool]string{true: "none", false: "signed_in"}[op.Public]
		}
		if at("x-permission") != permission {
			t.Errorf("%s: x-permission is %v, want %s", op.Pattern(), at("x-permission"), permission)
		}
		if _, ok := at("responses", "default", "content", "application/problem+json").(map[string]any); !ok {
			t.Errorf("%s: no problem is documented", op.Pattern())
		}
		checkParameters(t, op, at("parameters"))
	}
	checkRefs(t, doc)
}

func checkParameters(t *testing.T, op api.Operation, parameters any) {
	t.Helper()
	var inPath []string
	list, _ := parameters.([]any)
	for _, p := range list {
		p, _ := p.(map[string]any)
		if p["in"] == "path" {
			name, _ := p["name"].(string)
			inPath = append(inPath, "{"+name+"}")
		}
		if p["description"] == nil {
			t.Errorf("%s: parameter %v has no description", op.Pattern(), p["name"])
		}
	}
	if want := regexp.MustCompile(`\{\w+\}`).FindAllString(op.Path, -1); !slices.Equal(inPath, want) {
		t.Errorf("%s: parameters in the path are %v, want %v", op.Pattern(), inPath, want)
	}
}

// checkRefs fails on a reference to a schema that is not there, and on a schema nobody refers to.
func checkRefs(t *testing.T, doc reply) {
	t.Helper()
	schemas, _ := doc.at("components", "schemas").(map[string]any)
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`"#/components/schemas/(\w+)"`).FindAllStringSubmatch(doc.Text, -1) {
		used[m[1]] = true
		if schemas[m[1]] == nil {
			t.Errorf("there is no schema %s", m[1])
		}
	}
	for name := range schemas {
		if !used[name] {
			t.Errorf("nothing refers to schema %s", name)
		}
	}
}

func TestDocumentAsYAML(t *testing.T) {
	h := newHouse(t)
	got := h.want(h.do("", http.MethodGet, "/api/v1/openapi.yaml", ""), http.StatusOK)
	if !strings.Contains(got.Text, "openapi: 3.1.0") && !strings.Contains(got.Text, `openapi: "3.1.0"`) {
		t.Errorf("begins %.200s", got.Text)
	}
	again := h.do("", http.MethodGet, "/api/v1/openapi.yaml", "", "If-None-Match", got.Header.Get("ETag"))
	if again.Status != http.StatusNotModified || again.Text != "" {
		t.Errorf("with the same ETag: %d", again.Status)
	}
}

func TestPageOfDocumentation(t *testing.T) {
	h := newHouse(t)
	got := h.want(h.do("", http.MethodGet, "/docs/api", ""), http.StatusOK)
	if ct := got.Header.Get("Content-Type"); ct != "text/html; charset=utf-8" {
		t.Errorf("Content-Type is %q", ct)
	}
	for _, op := range api.Operations {
		if !strings.Contains(got.Text, `id="`+op.ID+`"`) {
			t.Errorf("%s is not on the page", op.ID)
		}
	}
	for _, bad := range []string{"<script", "<style", " style=", " onclick=", "ZgotmplZ", "%!"} {
		if strings.Contains(got.Text, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	for _, m := range regexp.MustCompile(`(?:href|src)="([^"]+)"`).FindAllStringSubmatch(got.Text, -1) {
		if anchor, ok := strings.CutPrefix(m[1], "#"); ok {
			if !strings.Contains(got.Text, `id="`+anchor+`"`) {
				t.Errorf("link to %s leads nowhere", m[1])
			}
		} else if !strings.HasPrefix(m[1], "/") {
			t.Errorf("link to %s needs another host", m[1])
		}
	}
	if !strings.Contains(got.Text, "https://watch.example.org/api/v1/incidents/42/acknowledge") {
		t.Error("there is no example for acknowledging")
	}
}

// TestExamplesWork sends the example of every POST as it stands on the page.
func TestExamplesWork(t *testing.T) {
	h := newHouse(t)
	page := html.UnescapeString(h.do("", http.MethodGet, "/docs/api", "").Text)
	example := regexp.MustCompile(`curl -X POST -H "Authorization: Bearer \$TOKEN"(?: -H 'Content-Type: application/json' \\\n  -d '(.*)' \\\n )? 'https://watch\.example\.org(.*)'`)
	found := example.FindAllStringSubmatch(page, -1)
	posts := 0
	for _, op := range api.Operations {
		if op.Method == http.MethodPost && op.ID != "upload-file" { // whose example needs a file
			posts++
		}
	}
	if len(found) != posts {
		t.Errorf("%d examples of POST, want %d", len(found), posts)
	}
	for _, m := range found {
		// There is no incident 42, and who is on duty now depends on the week; everything else is as in the house.
		if got := h.do("ada", http.MethodPost, m[2], m[1]); got.Status >= http.StatusBadRequest && got.Status != http.StatusNotFound && got.Status != http.StatusConflict {
			t.Errorf("POST %s %s: %d\n%s", m[2], m[1], got.Status, got.Text)
		}
	}
}
