package api

import (
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/watchroom/watchroom/internal/blob"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
	"github.com/watchroom/watchroom/internal/upload"
)

// Files takes files in and gives them out: *upload.Service.
type Files interface {
	Take(ctx context.Context, actor people.Actor, name string, r io.Reader) (store.File, error)
	Open(ctx context.Context, u id.User, n id.File, preview bool) (upload.Content, error)
}

// FilesPath is where files come in; their bodies are longer than others.
const FilesPath = prefix + "/files"

func (a *api) registerFiles() {
	binary := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	text := &huma.Schema{Type: huma.TypeString}
	param := func(name, in string, s *huma.Schema) *huma.Param {
		return &huma.Param{Name: name, In: in, Schema: s, Required: in == "path", Description: phrase.T("api.file.param." + name)}
	}

	in := a.take("upload-file")
	described := a.describe(in)
	described.Parameters = []*huma.Param{param("name", "query", text)}
	described.RequestBody = &huma.RequestBody{
		Description: phrase.T("api.file.body"), Required: true,
		Content: map[string]*huma.MediaType{
			blob.TypeUnknown:      {Schema: binary},
			"multipart/form-data": {Schema: &huma.Schema{Type: huma.TypeObject, Required: []string{"file"}, Properties: map[string]*huma.Schema{"file": binary}}},
		},
	}
	described.Responses["201"] = &huma.Response{
		Description: http.StatusText(http.StatusCreated),
		Content:     map[string]*huma.MediaType{jsonType: {Schema: a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[timeline.File](), true, "")}},
	}
	a.huma.OpenAPI().AddOperation(&described)
	a.plain(in, a.takeFile)

	out := a.take("download-file")
	given := a.describe(out)
	given.Parameters = []*huma.Param{param("file", "path", text), param("preview", "query", &huma.Schema{Type: huma.TypeBoolean})}
	given.Responses["200"] = &huma.Response{
		Description: phrase.T("api.file.content"), Content: map[string]*huma.MediaType{blob.TypeUnknown: {Schema: binary}},
	}
	a.huma.OpenAPI().AddOperation(&given)
	a.plain(out, a.giveFile)
}

// takeFile reads a file as it comes: nothing is kept in memory, and what is too
// large is refused while it is still being sent.
func (a *api) takeFile(w http.ResponseWriter, r *http.Request, by people.Actor) error {
	if a.Files == nil {
		return fault.NotFound(phrase.T("api.file.none"))
	}
	name, content, err := sentFile(r)
	if err != nil {
		return err
	}
	f, err := a.Files.Take(r.Context(), by, name, content)
	if err != nil {
		return err
	}
	body, err := json.Marshal(f.File)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("Location", FilesPath+"/"+string(f.ID))
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(append(body, '\n')) // whoever asked may have left
	return nil
}

// sentFile is the body with the name in the address, or the part of a form.
func sentFile(r *http.Request) (name string, content io.Reader, err error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "multipart/form-data" {
		if name = r.URL.Query().Get("name"); name == "" {
			return "", nil, fault.Invalid("name", phrase.T("api.file.name"))
		}
		return name, r.Body, nil
	}
	part, err := upload.Part(r)
	if err != nil {
		return "", nil, err
	}
	return part.FileName(), part, nil
}

// giveFile gives a file to who may read it.
func (a *api) giveFile(w http.ResponseWriter, r *http.Request, by people.Actor) error {
	if a.Files == nil {
		return fault.NotFound(phrase.T("api.file.none"))
	}
	content, err := a.Files.Open(r.Context(), by.User, id.File(r.PathValue("file")), r.URL.Query().Get("preview") == "true")
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }() // it was only read
	return content.Serve(w, r)
}
