package chatopsrpc

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/timeline"
)

// maxUnreadable is how much of an answer that is no answer is shown, in characters.
const maxUnreadable = 300

// answer is the JSON. Result is a string; anything else is shown as it is.
type answer struct {
	Result    json.RawMessage `json:"result"`
	Title     string          `json:"title"`
	TitleLink string          `json:"title_link"`
	Color     string          `json:"color"`
	ImageURL  string          `json:"image_url"`
	Buttons   []struct {
		Label   string `json:"label"`
		Command string `json:"command"`
	} `json:"buttons"`
	Error *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// readFailure is the message of a failure, if text is one.
func readFailure(text []byte) (string, bool) {
	var a answer
	if json.Unmarshal(text, &a) != nil || a.Error == nil || strings.TrimSpace(a.Error.Message) == "" {
		return "", false
	}
	return limit(a.Error.Message, maxText), true
}

// read makes a result of what came back: a failure's own message counts whatever
// the status; what cannot be read is replaced by the service's own words for
// that, or shown in part.
func read(status int, text []byte, l Listing, login string) program.Result {
	if message, ok := readFailure(text); ok {
		return ended(program.Failed, message)
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil || status < 200 || status > 299 || a.Result == nil && !bytes.Contains(text, []byte(`"result"`)) {
		return unreadable(status, text, l, login)
	}
	var said string
	if json.Unmarshal(a.Result, &said) != nil {
		said = string(a.Result)
	}
	if a.Result == nil || string(a.Result) == "null" {
		return program.Result{Outcome: program.Succeeded, Text: phrase.T("chatopsrpc.no_output")}
	}
	said = limit(said, maxAnswer)
	r := program.Result{Outcome: program.Succeeded, Text: strings.TrimSpace(said)}
	a.decorate(&r)
	return r
}

func unreadable(status int, text []byte, l Listing, login string) program.Result {
	if l.ErrorResponse != "" {
		return ended(program.Failed, "@"+login+" "+l.ErrorResponse)
	}
	shown := []rune(strings.TrimSpace(limit(string(text), 4*maxUnreadable)))
	head := phrase.T("chatopsrpc.unreadable", status, http.StatusText(status))
	if len(shown) == 0 {
		return ended(program.Failed, head)
	}
	code := string(shown[:min(len(shown), maxUnreadable)])
	return program.Result{
		Outcome: program.Failed, Why: head, Text: head + "\n\n```\n" + strings.ReplaceAll(code, "```", "'''") + "\n```",
		Doc: &timeline.Document{Status: timeline.StatusBad, Blocks: []timeline.Block{{Text: head}, {Code: &timeline.Code{Text: code}}}},
	}
}

// decorate adds what a service may send besides: a title, a colour, an image, buttons.
func (a answer) decorate(r *program.Result) {
	doc := timeline.Document{Status: statusOf(a.Color)}
	lines := []string{}
	if title := limit(strings.TrimSpace(a.Title), 200); title != "" {
		head := "**" + title + "**"
		if web(a.TitleLink) {
			head = "**[" + strings.NewReplacer("[", "(", "]", ")").Replace(title) + "](" + a.TitleLink + ")**"
		}
		lines = append(lines, head)
	}
	if r.Text != "" {
		lines = append(lines, r.Text)
	}
	if web(a.ImageURL) {
		lines = append(lines, "["+phrase.T("chatopsrpc.image")+"]("+a.ImageURL+")") // not shown: it would tell another server who reads
	}
	for _, l := range lines {
		doc.Blocks = append(doc.Blocks, timeline.Block{Text: l})
	}
	var actions []timeline.Action
	for _, b := range a.Buttons[:min(len(a.Buttons), 10)] {
		if b.Label != "" && b.Command != "" {
			actions = append(actions, timeline.Action{Label: limit(b.Label, 80), Line: limit(b.Command, 1000)})
		}
	}
	if len(actions) > 0 {
		doc.Blocks = append(doc.Blocks, timeline.Block{Actions: actions})
	}
	if doc.Status != "" || len(lines) > 1 || len(actions) > 0 || a.Title != "" {
		r.Doc, r.Text = &doc, strings.Join(lines, "\n\n")
	}
}

func web(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && !strings.ContainsAny(address, " )\"<>\n")
}

// statusOf reads a colour: what is mostly red is bad, mostly green good, both a warning.
func statusOf(color string) timeline.Status {
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
