package markdown

import (
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/util"

	"github.com/watchroom/watchroom/internal/phrase"
)

// ours writes the nodes that look different here than in goldmark.
type ours struct{}

// RegisterFuncs implements renderer.NodeRenderer.
func (o ours) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(ast.KindLink, o.link)
	reg.Register(ast.KindImage, o.image)
	reg.Register(ast.KindAutoLink, o.autoLink)
	reg.Register(ast.KindFencedCodeBlock, o.code)
	reg.Register(ast.KindCodeBlock, o.code)
	reg.Register(extast.KindTaskCheckBox, o.checkBox)
	reg.Register(kindReference, o.reference)
}

// schemes are the addresses that a link may have; one without a scheme leads
// to a page of ours.
var schemes = []string{"http", "https", "mailto", "tel"}

// safe reports whether a link may lead to dest.
func safe(dest string) bool {
	_, _, ok := target(dest)
	return ok
}

// target is the address of a link as it is written into the page, and whether
// it leaves our pages.
func target(dest string) (href string, leaves, ok bool) {
	u, err := url.Parse(strings.TrimSpace(string(util.URLEscape([]byte(dest), true))))
	if err != nil || u.String() == "" {
		return "", false, false
	}
	switch {
	case u.Scheme == "" && u.Host == "":
		// "/incidents/4" and "#top" are ours; "page" would be one beside whatever
		// page this is, and to a browser "///host" and "/\host" are other hosts.
		href = u.String()
		ok = strings.HasPrefix(href, "#") || strings.HasPrefix(href, "/") && !strings.HasPrefix(href, "//") && !strings.ContainsAny(dest, "\\\t\n")
		return href, false, ok
	case u.Scheme == "":
		return "", false, false // "//host" depends on how the page was reached
	}
	for _, s := range schemes {
		if u.Scheme == s && (u.Host != "") == strings.HasPrefix(s, "http") {
			return u.String(), u.Host != "", true
		}
	}
	return "", false, false
}

// inLink reports whether n stands in the label of a link, where no other may.
func inLink(n ast.Node) bool {
	for p := n.Parent(); p != nil; p = p.Parent() {
		if l, ok := p.(*ast.Link); ok && safe(string(l.Destination)) {
			return true
		}
		if i, ok := p.(*ast.Image); ok && safe(string(i.Destination)) {
			return true
		}
	}
	return false
}

func openLink(w util.BufWriter, href string, leaves bool) {
	_, _ = w.WriteString(`<a href="` + html.EscapeString(href) + `"`)
	if leaves {
		_, _ = w.WriteString(` rel="noopener noreferrer nofollow" target="_blank"`)
	}
	_ = w.WriteByte('>')
}

func (ours) link(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	dest := string(n.(*ast.Link).Destination)
	href, leaves, ok := target(dest)
	ok = ok && !inLink(n)
	switch {
	case ok && entering:
		openLink(w, href, leaves)
	case ok:
		_, _ = w.WriteString("</a>")
	case !entering && dest != "":
		_, _ = w.WriteString(" (" + html.EscapeString(dest) + ")")
	}
	return ast.WalkContinue, nil
}

// image writes a link: a picture on another host would tell it who reads here.
func (ours) image(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	dest := string(n.(*ast.Image).Destination)
	href, leaves, ok := target(dest)
	ok = ok && !inLink(n)
	if ok && entering {
		openLink(w, href, leaves)
	}
	if entering && !n.HasChildren() || !entering && !ok && n.HasChildren() && dest != "" {
		if !entering {
			dest = " (" + dest + ")"
		}
		_, _ = w.WriteString(html.EscapeString(dest))
	}
	if ok && !entering {
		_, _ = w.WriteString("</a>")
	}
	return ast.WalkContinue, nil
}

func (ours) autoLink(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.AutoLink)
	dest := string(n.URL(source))
	if n.AutoLinkType == ast.AutoLinkEmail && !strings.HasPrefix(strings.ToLower(dest), "mailto:") {
		dest = "mailto:" + dest
	}
	href, leaves, ok := target(dest)
	if ok = ok && !inLink(n); ok {
		openLink(w, href, leaves)
	}
	_, _ = w.WriteString(html.EscapeString(string(n.Label(source))))
	if ok {
		_, _ = w.WriteString("</a>")
	}
	return ast.WalkContinue, nil
}

func (ours) code(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		language := ""
		if f, ok := n.(*ast.FencedCodeBlock); ok {
			language = string(f.Language(source))
		}
		_, _ = w.WriteString(codeBlock(language, string(n.Lines().Value(source))))
	}
	return ast.WalkSkipChildren, nil
}

// Code is a block of code as Render writes it, for output that is not Markdown.
func Code(language, source string) string {
	return policy().Sanitize(codeBlock(language, clean(source)))
}

func codeBlock(language, source string) string {
	name, colours := highlight(language, source)
	return `<div class="md-code" data-code=""><div class="md-code-head"><span class="code-lang">` + html.EscapeString(name) +
		`</span><button type="button" class="code-copy" data-copied="` + html.EscapeString(phrase.T("markdown.copied")) + `">` +
		html.EscapeString(phrase.T("markdown.copy")) + `</button></div><pre tabindex="0"><code>` + colours + "</code></pre></div>\n"
}

func (ours) checkBox(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		checked, label := "", phrase.T("markdown.open")
		if n.(*extast.TaskCheckBox).IsChecked {
			checked, label = ` checked=""`, phrase.T("markdown.done")
		}
		_, _ = w.WriteString(`<input type="checkbox" disabled=""` + checked + ` aria-label="` + html.EscapeString(label) + `"> `)
	}
	return ast.WalkContinue, nil
}

func (ours) reference(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*reference)
	switch {
	case !entering:
		return ast.WalkContinue, nil
	case n.class == "":
		_, _ = w.WriteString(n.shown)
		return ast.WalkContinue, nil
	}
	element := "span"
	href, _, ok := target(n.href)
	if ok && !inLink(n) {
		element = "a"
	}
	_, _ = w.WriteString("<" + element)
	attribute := func(name, value string) {
		if value != "" {
			_, _ = w.WriteString(` ` + name + `="` + html.EscapeString(value) + `"`)
		}
	}
	if element == "a" {
		attribute("href", href)
	}
	attribute("class", n.class)
	attribute("title", clean(n.title))
	if n.n > 0 {
		attribute("data-incident-ref", strconv.FormatInt(n.n, 10))
		attribute("data-state", n.state)
	}
	_, _ = w.WriteString(">" + html.EscapeString(n.shown) + "</" + element + ">")
	return ast.WalkContinue, nil
}

// policy is what HTML of ours may consist of. What Render writes passes
// unchanged, which a test holds; it is here for the day somebody is wrong
// about goldmark, about a lexer, or about the code above.
var policy = sync.OnceValue(func() *bluemonday.Policy {
	one := func(words ...string) *regexp.Regexp {
		return regexp.MustCompile(`^(?:` + strings.Join(words, "|") + `)$`)
	}
	p := bluemonday.NewPolicy()
	p.AllowElements("br", "p", "strong", "em", "del", "code", "pre", "blockquote", "hr", "ul", "ol", "li",
		"h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "span")
	p.AllowAttrs("class").Matching(one("emoji-only")).OnElements("p")
	p.AllowAttrs("start").Matching(regexp.MustCompile(`^\d{1,9}$`)).OnElements("ol")
	p.AllowAttrs("align").Matching(one("left", "center", "right")).OnElements("th", "td")
	p.AllowAttrs("type").Matching(one("checkbox")).OnElements("input")
	p.AllowAttrs("aria-label").Matching(one(regexp.QuoteMeta(phrase.T("markdown.done")), regexp.QuoteMeta(phrase.T("markdown.open")))).OnElements("input")
	p.AllowAttrs("tabindex").Matching(one("0")).OnElements("pre")
	p.AllowAttrs("checked", "disabled").Matching(one("")).OnElements("input")
	p.AllowAttrs("class").Matching(one("md-code", "md-code-head")).OnElements("div")
	p.AllowAttrs("data-code").Matching(one("")).OnElements("div")
	p.AllowAttrs("type").Matching(one("button")).OnElements("button")
	p.AllowAttrs("class").Matching(one("code-copy")).OnElements("button")
	p.AllowAttrs("data-copied").Matching(one(regexp.QuoteMeta(phrase.T("markdown.copied")))).OnElements("button")
	p.AllowAttrs("class").Matching(one("code-lang", "mention", "mention mention-me", "incident-ref", "room-ref", "hl-[a-z]+")).OnElements("span")
	p.AllowAttrs("class").Matching(one("mention", "mention mention-me", "incident-ref", "room-ref")).OnElements("a")
	p.AllowAttrs("title").OnElements("a", "span")
	p.AllowAttrs("data-incident-ref").Matching(regexp.MustCompile(`^\d{1,19}$`)).OnElements("a", "span")
	p.AllowAttrs("data-state").Matching(regexp.MustCompile(`^[a-z_-]{1,40}$`)).OnElements("a", "span")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("rel").Matching(one("noopener noreferrer nofollow")).OnElements("a")
	p.AllowAttrs("target").Matching(one("_blank")).OnElements("a")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(true)
	p.AllowURLSchemes(schemes...)
	p.RequireNoFollowOnFullyQualifiedLinks(true)
	p.RequireNoReferrerOnFullyQualifiedLinks(true)
	p.AddTargetBlankToFullyQualifiedLinks(true)
	return p
})
