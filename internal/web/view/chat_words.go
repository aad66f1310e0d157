package view

import (
	"slices"

	"github.com/watchroom/watchroom/internal/markdown"
	"github.com/watchroom/watchroom/internal/story"
	"github.com/watchroom/watchroom/internal/timeline"
)

// markdownHTML is what a program or somebody wrote, as markup that is safe to
// show, where no name in it means anybody.
func markdownHTML(text string) string { return markdown.Render(text, markdown.Options{}) }

// markdownCode is text in a fixed pitch.
func markdownCode(language, text string) string { return markdown.Code(language, text) }

// inWords takes the signs of Markdown out of what is quoted in a line.
func inWords(parts []story.Part) []story.Part {
	const most = 120
	for i, p := range parts {
		if p.Kind == story.Quote {
			parts[i].Text = markdown.FirstLines(p.Text, 1, most)
		}
	}
	return parts
}

// speaks reports whether a document says all that the text of its message says;
// one of buttons alone stands below the text.
func speaks(d *timeline.Document) bool {
	return d != nil && slices.ContainsFunc(d.Blocks, func(b timeline.Block) bool { return len(b.Actions) == 0 })
}
