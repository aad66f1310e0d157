package slash

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime"
	"net/url"
	"strconv"
	"strings"

	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Answer is what a receiver says, at once or later.
type Answer struct {
	Text    string             // Markdown; complete by itself
	Doc     *timeline.Document // nil: Text alone
	Private bool               // for the asker alone: what the format does unless told otherwise
	Replace bool               // of a later one: in the place of what was said before
	Delete  bool               // of a later one: take back what was said before
}

// The JSON of an answer. What we have no use for is not read.
type (
	wire struct {
		ResponseType    string       `json:"response_type"`
		Text            string       `json:"text"`
		Attachments     []attachment `json:"attachments"`
		Blocks          []block      `json:"blocks"`
		ReplaceOriginal bool         `json:"replace_original"`
		DeleteOriginal  bool         `json:"delete_original"`
	}
	attachment struct {
		Fallback   string `json:"fallback"`
		Color      string `json:"color"`
		Pretext    string `json:"pretext"`
		AuthorName string `json:"author_name"`
		Title      string `json:"title"`
		TitleLink  string `json:"title_link"`
		Text       string `json:"text"`
		Fields     []struct {
			Title string          `json:"title"`
			Value json.RawMessage `json:"value"` // some send numbers
		} `json:"fields"`
		ImageURL string `json:"image_url"`
		Footer   string `json:"footer"`
	}
	block struct {
		Type     string            `json:"type"`
		Text     *words            `json:"text"`
		Fields   []words           `json:"fields"`
		Elements []json.RawMessage `json:"elements"`
	}
	words struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
)

// Limits of an answer; what is more is cut.
const (
	maxParts  = 40
	maxFields = 50
)

// parse reads an answer: JSON, or text as it is; nothing is an answer, too.
func parse(contentType string, body []byte, f Format) (Answer, error) {
	kind, _, _ := mime.ParseMediaType(contentType)
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return Answer{Private: true}, nil
	}
	if kind == "text/html" {
		return Answer{}, errors.New("a page")
	}
	var w wire
	err := json.Unmarshal(body, &w)
	switch {
	case body[0] != '{', err != nil && kind == "text/plain":
		return Answer{Text: f.markdown(string(body)), Private: true}, nil
	case err != nil:
		return Answer{}, err
	}
	return w.answer(f), nil
}

func (w wire) answer(f Format) Answer {
	a := Answer{Private: w.ResponseType != "in_channel", Replace: w.ReplaceOriginal, Delete: w.DeleteOriginal}
	d := &drawn{format: f}
	for _, b := range w.Blocks[:min(len(w.Blocks), maxParts)] {
		d.block(b)
	}
	if len(d.lines) == 0 { // with blocks, text is what notifications show of them
		d.text(f.markdown(w.Text))
	}
	plain := len(w.Blocks) == 0 && len(w.Attachments) == 0
	for _, at := range w.Attachments[:min(len(w.Attachments), maxParts)] {
		d.attachment(at)
	}
	a.Text = strings.Join(d.lines, "\n\n")
	if !plain {
		a.Doc = &d.doc
	}
	return a
}

// drawn is a document and the same in words, as they grow.
type drawn struct {
	format Format
	doc    timeline.Document
	lines  []string
}

func (d *drawn) text(markdown string) {
	if markdown = strings.TrimSpace(markdown); markdown != "" {
		d.lines = append(d.lines, markdown)
		d.doc.Blocks = append(d.doc.Blocks, timeline.Block{Text: markdown})
	}
}

func (d *drawn) fields(all []timeline.Field) {
	if len(all) == 0 {
		return
	}
	lines := make([]string, 0, len(all))
	for _, f := range all {
		lines = append(lines, "- **"+f.Name+"**: "+f.Value)
	}
	d.lines = append(d.lines, strings.Join(lines, "\n"))
	d.doc.Blocks = append(d.doc.Blocks, timeline.Block{Fields: all})
}

func (d *drawn) attachment(a attachment) {
	before := len(d.lines)
	if s := statusOf(a.Color); s != "" && d.doc.Status == "" {
		d.doc.Status = s
	}
	d.text(d.format.markdown(a.Pretext))
	if title := strings.TrimSpace(a.Title); title != "" {
		if web(a.TitleLink) {
			title = "[" + strings.NewReplacer("[", "(", "]", ")").Replace(title) + "](" + a.TitleLink + ")"
		}
		d.text("**" + title + "**")
	}
	d.text(d.format.markdown(a.Text))
	var fields []timeline.Field
	for _, f := range a.Fields[:min(len(a.Fields), maxFields)] {
		var value string
		if json.Unmarshal(f.Value, &value) != nil {
			value = string(f.Value)
		}
		fields = append(fields, timeline.Field{Name: strings.TrimSpace(f.Title), Value: d.format.markdown(value)})
	}
	d.fields(fields)
	if web(a.ImageURL) {
		d.text("[" + phrase.T("slash.image") + "](" + a.ImageURL + ")") // not shown: it would tell another server who reads
	}
	if len(d.lines) == before {
		d.text(d.format.markdown(a.Fallback))
	}
}

func (d *drawn) block(b block) {
	switch {
	case b.Type == "header" && b.Text != nil:
		d.text("**" + strings.TrimSpace(b.Text.Text) + "**")
	case b.Text != nil:
		d.text(d.format.words(*b.Text))
	}
	var lines []string
	for _, f := range b.Fields[:min(len(b.Fields), maxFields)] {
		lines = append(lines, strings.ReplaceAll(d.format.words(f), "\n", " "))
	}
	for _, raw := range b.Elements[:min(len(b.Elements), maxFields)] {
		var w words
		if b.Type == "context" && json.Unmarshal(raw, &w) == nil && w.Text != "" {
			lines = append(lines, d.format.words(w))
		}
	}
	d.text(strings.Join(lines, " · "))
}

func (f Format) words(w words) string {
	if w.Type == "plain_text" {
		return w.Text
	}
	return f.markdown(w.Text)
}

func web(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && !strings.ContainsAny(address, " )\"<>\n")
}

// statusOf reads a colour: one of the three names, or what is mostly red or green.
func statusOf(color string) timeline.Status {
	switch color {
	case "good":
		return timeline.StatusGood
	case "warning":
		return timeline.StatusWarning
	case "danger":
		return timeline.StatusBad
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(color, "#"), 16, 32)
	if err != nil || len(strings.TrimPrefix(color, "#")) != 6 {
		return ""
	}
	red, green, blue := n>>16, n>>8&255, n&255
	switch {
	case red > 150 && green > 110 && blue < 110:
		return timeline.StatusWarning
	case red > green+40 && red > blue+40:
		return timeline.StatusBad
	case green > red+40 && green > blue:
		return timeline.StatusGood
	}
	return ""
}
