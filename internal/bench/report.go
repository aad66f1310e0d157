package bench

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"
)

// table is the figures of one suite.
type table struct {
	title string
	rows  []row
	notes []string
}

// row is one figure beside its reference and its bar; the last three may be empty.
type row struct {
	what, got, reference, bar string
	verdict                   verdict
}

// verdict says whether a bar was reached.
type verdict string

const (
	none   verdict = ""
	passed verdict = "✓"
	missed verdict = "✗"
)

func judge(ok bool) verdict {
	if ok {
		return passed
	}
	return missed
}

func (t *table) add(what, got, reference, bar string, v verdict) {
	t.rows = append(t.rows, row{what, got, reference, bar, v})
}

// show is add for a figure without a bar.
func (t *table) show(what, got, reference string) { t.add(what, got, reference, "", none) }

func (t *table) note(format string, args ...any) {
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

func (t *table) print(w io.Writer, markdown bool) error {
	var out strings.Builder
	cells := [][]string{{"figure", "measured", "reference", "bar", ""}}
	for _, r := range t.rows {
		cells = append(cells, []string{r.what, r.got, r.reference, r.bar, string(r.verdict)})
	}
	width := make([]int, len(cells[0]))
	for _, line := range cells {
		for i, c := range line {
			width[i] = max(width[i], 3, utf8.RuneCountInString(c)) // Markdown wants three dashes
		}
	}
	edge, between := "", "  "
	if markdown {
		edge, between = "|", " | "
		fmt.Fprintf(&out, "\n### %s\n\n", t.title)
	} else {
		fmt.Fprintf(&out, "\n%s\n", t.title)
	}
	for n, line := range cells {
		fmt.Fprintln(&out, aligned(line, width, edge, between))
		if n == 0 {
			rule := make([]string, len(width))
			for i, c := range width {
				rule[i] = strings.Repeat("-", c)
			}
			fmt.Fprintln(&out, aligned(rule, width, edge, between))
		}
	}
	for _, n := range t.notes {
		fmt.Fprintf(&out, "\n%s\n", n)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func aligned(line []string, width []int, edge, between string) string {
	var b strings.Builder
	for i, c := range line {
		if i > 0 {
			b.WriteString(between)
		}
		b.WriteString(c)
		b.WriteString(strings.Repeat(" ", max(0, width[i]-utf8.RuneCountInString(c))))
	}
	if edge == "" {
		return strings.TrimRight(b.String(), " ")
	}
	return edge + " " + b.String() + " " + edge
}

// preface says what must be known to judge the figures.
func preface(o Options) string {
	kind := "full run"
	if o.Quick {
		kind = "quick run"
	}
	return fmt.Sprintf("Watchroom, %s of %s: %d cores, %s/%s, %s, load %s.\nGenerator, node and database share the cores.\n",
		kind, time.Now().Format(time.DateOnly), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), loadAverage())
}

// loadAverage is what others do with the machine just now.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if f := strings.Fields(string(text)); err == nil && len(f) > 0 {
		return f[0]
	}
	return "unknown"
}
