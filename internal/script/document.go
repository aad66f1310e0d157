package script

import (
	"fmt"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/timeline"
)

// Limits of a document that a script makes; what is more is cut.
const (
	maxBlocks  = 50
	maxRows    = 1000
	maxColumns = 20
	maxActions = 10
)

// statuses are those that a document may have.
var statuses = []timeline.Status{timeline.StatusGood, timeline.StatusWarning, timeline.StatusBad, timeline.StatusRunning, timeline.StatusWaiting}

// tidy makes d what a renderer can rely on and takes out what a script has no
// right to: tokens, uploaded files of others, addresses that are not ours. each
// is applied to every text.
func tidy(d timeline.Document, each func(string) string) *timeline.Document {
	out := timeline.Document{Progress: d.Progress}
	if slices.Contains(statuses, d.Status) {
		out.Status = d.Status
	}
	if d.Progress != nil {
		percent := max(0, min(100, *d.Progress))
		out.Progress = &percent
	}
	for _, b := range d.Blocks[:min(len(d.Blocks), maxBlocks)] {
		out.Blocks = append(out.Blocks, pieces(b, each)...)
	}
	return &out
}

// pieces are the blocks that b stands for: each has one member.
func pieces(b timeline.Block, each func(string) string) []timeline.Block {
	var all []timeline.Block
	add := func(b timeline.Block) { all = append(all, b) }
	if b.Text != "" {
		add(timeline.Block{Text: each(b.Text)})
	}
	if b.Code != nil {
		add(timeline.Block{Code: &timeline.Code{Language: each(b.Code.Language), Text: each(b.Code.Text)}})
	}
	if t := b.Table; t != nil && len(t.Head) > 0 {
		add(timeline.Block{Table: table(*t, each)})
	}
	if len(b.List) > 0 {
		add(timeline.Block{List: mapped(b.List[:min(len(b.List), maxRows)], each)})
	}
	if len(b.Fields) > 0 {
		var fields []timeline.Field
		for _, f := range b.Fields[:min(len(b.Fields), maxRows)] {
			fields = append(fields, timeline.Field{Name: each(f.Name), Value: each(f.Value)})
		}
		add(timeline.Block{Fields: fields})
	}
	if i := b.Image; i != nil && ours(i.Address) {
		add(timeline.Block{Image: &timeline.Image{Address: each(i.Address), Alt: each(i.Alt)}})
	}
	var actions []timeline.Action
	for _, a := range b.Actions[:min(len(b.Actions), maxActions)] {
		line, url := strings.TrimSpace(a.Line), a.URL
		if !ours(url) {
			url = ""
		}
		if a.Label == "" || (line == "") == (url == "") {
			continue // one of both, and a name
		}
		style := a.Style
		if style != "primary" && style != "danger" {
			style = ""
		}
		actions = append(actions, timeline.Action{Label: each(a.Label), Line: each(line), URL: each(url), Style: style})
	}
	if len(actions) > 0 {
		add(timeline.Block{Actions: actions})
	}
	return all
}

// ours reports whether an address is a path of this server.
func ours(address string) bool {
	return strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//") && !strings.Contains(address, "\\")
}

// table gives the head and every row the width of the widest: a column without a
// title has an empty one.
func table(t timeline.Table, each func(string) string) *timeline.Table {
	out := timeline.Table{Head: mapped(t.Head[:min(len(t.Head), maxColumns)], each)}
	for _, row := range t.Rows[:min(len(t.Rows), maxRows)] {
		for len(out.Head) < min(len(row), maxColumns) {
			out.Head = append(out.Head, "")
		}
	}
	for _, row := range t.Rows[:min(len(t.Rows), maxRows)] {
		row = mapped(row[:min(len(row), len(out.Head))], each)
		for len(row) < len(out.Head) {
			row = append(row, "")
		}
		out.Rows = append(out.Rows, row)
	}
	return &out
}

func mapped(texts []string, each func(string) string) []string {
	out := make([]string, 0, len(texts))
	for _, t := range texts {
		out = append(out, each(t))
	}
	return out
}

// words says all of a document in Markdown, for a script that gave no text beside it.
func words(d *timeline.Document) string {
	if d == nil {
		return ""
	}
	var parts []string
	for _, b := range d.Blocks {
		switch {
		case b.Text != "":
			parts = append(parts, b.Text)
		case b.Code != nil:
			parts = append(parts, fenced(b.Code.Text))
		case b.Table != nil:
			parts = append(parts, tableWords(*b.Table))
		case b.List != nil:
			parts = append(parts, "- "+strings.Join(b.List, "\n- "))
		case b.Fields != nil:
			lines := make([]string, 0, len(b.Fields))
			for _, f := range b.Fields {
				lines = append(lines, fmt.Sprintf("- **%s**: %s", f.Name, f.Value))
			}
			parts = append(parts, strings.Join(lines, "\n"))
		case b.Image != nil:
			parts = append(parts, fmt.Sprintf("[%s](%s)", b.Image.Alt, b.Image.Address))
		}
	}
	return strings.Join(parts, "\n\n")
}

func tableWords(t timeline.Table) string {
	var b strings.Builder
	line := func(cells []string) {
		b.WriteString("|")
		for _, c := range cells {
			b.WriteString(" " + strings.ReplaceAll(strings.ReplaceAll(c, "|", `\|`), "\n", " ") + " |")
		}
		b.WriteString("\n")
	}
	line(t.Head)
	b.WriteString("|" + strings.Repeat(" --- |", len(t.Head)) + "\n")
	for _, row := range t.Rows {
		line(row)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// fenced is text in a fixed pitch, whatever backquotes are in it.
func fenced(text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + "\n" + strings.TrimRight(text, "\n") + "\n" + fence
}
