package runner

import (
	"encoding/json"
	"strings"

	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/timeline"
)

// maxGlance is how much of an answer stands in the message that people watched.
const maxGlance = 120

// glance is how a run ended, with the beginning of what it said: who looks at
// the room alone sees the result without opening a thread.
// Of what failed it is why: the exit status and the last line of what the
// program complained of.
func glance(inv invocation.Invocation, how string) string {
	if inv.State != invocation.Succeeded && inv.Why != "" {
		return how + "\n> " + clean(strings.Join(strings.Fields(inv.Why), " "), maxWhy)
	}
	out := strings.TrimSpace(inv.Output)
	if out == "" {
		return how
	}
	begin := ""
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "```") {
			begin = line
			break
		}
	}
	if n := 1 + strings.Count(out, "\n"); n > 1 && thread(inv) != 0 {
		how += " " + phrase.N("runner.in_thread", n)
	}
	if begin == "" {
		return how
	}
	return how + "\n> " + clean(begin, maxGlance)
}

// answer is the end of a run for a program that reads the room.
type answer struct {
	Job      int64              `json:"job"`
	Command  string             `json:"command"`
	Line     string             `json:"line"`
	State    string             `json:"state"`
	Exit     int                `json:"exit"`
	TookMS   int64              `json:"took_ms"`
	Why      string             `json:"why,omitempty"`
	Text     string             `json:"text,omitempty"`
	Document *timeline.Document `json:"document,omitempty"`
	Files    []timeline.File    `json:"files,omitempty"`
}

// inJSON is the end of a run as one JSON value in a block of code. What is too
// long for a message is cut in its text, so that it stays JSON; all of it is the
// job's, and a file.
func inJSON(inv invocation.Invocation, how string) said {
	a := answer{
		Job: inv.Number, Command: inv.Command, Line: inv.Line, State: string(inv.State), Exit: inv.Exit, TookMS: inv.Took().Milliseconds(),
		Why: inv.Why, Text: inv.Output, Document: inv.Doc, Files: inv.Files,
	}
	text, err := json.MarshalIndent(a, "", "  ")
	if err == nil && long(string(text)) {
		a.Document, a.Text = nil, clean(inv.Output, maxRunes/2)
		text, err = json.MarshalIndent(a, "", "  ")
	}
	if err != nil { // text and numbers always can be
		return plain(timeline.StatusBad, how)
	}
	doc := &timeline.Document{Blocks: []timeline.Block{{Code: &timeline.Code{Language: "json", Text: string(text)}}}}
	for _, f := range inv.Files {
		doc.Blocks = append(doc.Blocks, timeline.Block{File: &f})
	}
	return said{text: "```json\n" + strings.ReplaceAll(string(text), "```", `\u0060\u0060\u0060`) + "\n```", doc: doc}
}
