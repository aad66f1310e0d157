package view

import "github.com/watchroom/watchroom/internal/markdown"

// markdownHTML is what a program or somebody wrote, as markup that is safe to
// show, where no name in it means anybody.
func markdownHTML(text string) string { return markdown.Render(text, markdown.Options{}) }

// markdownCode is text in a fixed pitch.
func markdownCode(language, text string) string { return markdown.Code(language, text) }
