package script

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/program"
)

// completeFlag asks an executable for the values of an argument.
const completeFlag = "--chatops-complete="

// Limits of such an answer: somebody is typing meanwhile.
const (
	completeFor  = 2 * time.Second
	maxAnswer    = 64 << 10 // bytes
	maxValues    = 200
	maxCandidate = 100 // characters of a value, and of what is said about it
)

// CompleteArg asks the executable which values an argument may have that begin
// with prefix. Only one whose manifest says that it understands the question is
// asked: any other would do its work. It gets who asks and where, its settings,
// and no secrets.
func (c *Command) CompleteArg(ctx context.Context, arg, prefix string, r program.Request) ([]command.Candidate, error) {
	if a, ok := c.Declaration.Arg(arg); !ok || !a.Asks {
		return nil, nil
	}
	if c.changed() {
		return nil, errors.New("script " + c.name + ": it is not the one that was read")
	}
	r.Secrets = nil
	ctx, cancel := context.WithTimeout(ctx, completeFor)
	defer cancel()
	text, err := c.prints(ctx, filepath.Join(c.folder, c.name), []string{completeFlag + arg}, r, []string{"CHATOPS_PREFIX=" + strings.ReplaceAll(prefix, "\x00", "")}, maxAnswer)
	if err != nil {
		return nil, err
	}
	return candidates(string(text)), nil
}

// candidates reads one value a line, and behind a tab what it is.
func candidates(text string) []command.Candidate {
	var all []command.Candidate
	for line := range strings.Lines(readable(text)) {
		value, about, _ := strings.Cut(strings.TrimRight(line, "\n"), "\t")
		value, about = strings.TrimSpace(value), strings.TrimSpace(strings.ReplaceAll(about, "\t", " "))
		if value == "" || utf8.RuneCountInString(value) > maxCandidate {
			continue
		}
		if r := []rune(about); len(r) > maxCandidate {
			about = string(r[:maxCandidate-1]) + "…"
		}
		if all = append(all, command.Candidate{Text: value, Summary: about}); len(all) == maxValues {
			break
		}
	}
	return all
}
