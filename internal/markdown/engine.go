package markdown

import (
	"bytes"
	"regexp"
	"sync"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// pair is goldmark put together; both halves may be used by many goroutines.
type pair struct {
	parser   parser.Parser
	renderer renderer.Renderer
}

// address is what becomes a link by itself: also hosts without a dot and with a
// port, which people at work have. What stops a sentence is taken off by the parser.
var address = regexp.MustCompile("^https?://[^\\s<>\"`|/?#]+(?:[/?#][^\\s<>\"`]*[^\\s<>\"'`]|[/?#])?")

var engine = sync.OnceValue(func() pair {
	return pair{
		// Left out on purpose: HTML, which is shown; headings that are underlined,
		// because people draw lines under text; and definitions of links, which
		// would be invisible.
		parser: parser.NewParser(
			parser.WithBlockParsers(
				util.Prioritized(parser.NewThematicBreakParser(), 200),
				util.Prioritized(parser.NewListParser(), 300),
				util.Prioritized(parser.NewListItemParser(), 400),
				util.Prioritized(parser.NewCodeBlockParser(), 500),
				util.Prioritized(parser.NewATXHeadingParser(), 600),
				util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
				util.Prioritized(parser.NewBlockquoteParser(), 800),
				util.Prioritized(parser.NewParagraphParser(), 1000),
			),
			parser.WithInlineParsers(
				util.Prioritized(extension.NewTaskCheckBoxParser(), 0),
				util.Prioritized(parser.NewCodeSpanParser(), 100),
				util.Prioritized(parser.NewLinkParser(), 200),
				util.Prioritized(parser.NewAutoLinkParser(), 300),
				util.Prioritized(references{}, 400),
				util.Prioritized(parser.NewEmphasisParser(), 500),
				util.Prioritized(extension.NewStrikethroughParser(), 500),
				util.Prioritized(extension.NewLinkifyParser(
					extension.WithLinkifyAllowedProtocols([]string{"http:", "https:"}),
					extension.WithLinkifyURLRegexp(address),
				), 999),
			),
			parser.WithParagraphTransformers(util.Prioritized(tables{extension.NewTableParagraphTransformer()}, 200)),
			parser.WithASTTransformers(
				util.Prioritized(extension.NewTableASTTransformer(), 0),
				util.Prioritized(finish{}, 500),
			),
		),
		renderer: renderer.NewRenderer(renderer.WithNodeRenderers(
			util.Prioritized(ours{}, 100),
			util.Prioritized(extension.NewTableHTMLRenderer(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)), 500),
			util.Prioritized(extension.NewStrikethroughHTMLRenderer(), 500),
			util.Prioritized(html.NewRenderer(html.WithHardWraps()), 1000),
		)),
	}
})

// tables keeps a line of dashes alone from making a table of what is above and
// below it: that is how a signature begins.
type tables struct{ parser.ParagraphTransformer }

func (t tables) Transform(n *ast.Paragraph, reader text.Reader, pc parser.Context) {
	for i := 1; i < n.Lines().Len(); i++ {
		line := n.Lines().At(i)
		if len(bytes.Trim(line.Value(reader.Source()), "-: \t\n")) == 0 {
			return
		}
	}
	t.ParagraphTransformer.Transform(n, reader, pc)
}

// finish makes the largest heading of a message an h4, since the page has the
// larger ones, and joins text that was parted at a sign which meant nothing:
// "&#62;" must be one piece to be read.
type finish struct{}

func (finish) Transform(doc *ast.Document, _ text.Reader, _ parser.Context) {
	const largest, smallest = 4, 6
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			n.Level = min(n.Level+largest-1, smallest)
		case *ast.Text:
			for next, ok := n.NextSibling().(*ast.Text); ok && joins(n, next); next, ok = n.NextSibling().(*ast.Text) {
				n.Segment.Stop = next.Segment.Stop
				n.SetSoftLineBreak(next.SoftLineBreak())
				n.SetHardLineBreak(next.HardLineBreak())
				n.Parent().RemoveChild(n.Parent(), next)
			}
		}
		return ast.WalkContinue, nil
	})
}

func joins(a, b *ast.Text) bool {
	return a.Segment.Stop == b.Segment.Start && !a.SoftLineBreak() && !a.HardLineBreak() && a.IsRaw() == b.IsRaw() && b.Segment.Padding == 0
}
