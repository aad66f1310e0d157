package bot

import (
	"slices"
	"sync/atomic"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/program"
)

// Entry is a command and what runs it.
type Entry struct {
	Declaration command.Declaration
	Program     program.Program
	// Match understands a line further than the tree of commands can, because
	// somebody else's expressions read it: what it returns may be another command
	// of the same source, about which is then decided. nil: the tree has
	// understood all.
	Match func(p command.Parsed) (command.Parsed, bool)
}

// Problem is a command that cannot be used.
type Problem struct {
	From string // its origin, or the file that declares it
	Why  string
}

// Source is where commands of one's own come from: a folder, services, webhooks.
// Commands is cheap, and may answer differently each time.
type Source interface{ Commands() []Entry }

// Catalogue is all commands there are now. The built-in ones come first: of two
// with the same words the first counts, and the other is a problem to be shown.
type Catalogue struct {
	builtin []Entry
	sources []Source
	now     atomic.Pointer[catalogue]
}

type catalogue struct {
	tree     *command.Tree
	programs map[string]Entry
	problems []Problem
	made     []string // the versions it was made from
}

// NewCatalogue returns a Catalogue of built-in commands and sources.
func NewCatalogue(builtin []Entry, sources ...Source) (*Catalogue, error) {
	c := &Catalogue{builtin: builtin, sources: sources}
	declared := make([]command.Declaration, len(builtin))
	for i, e := range builtin {
		declared[i] = e.Declaration
	}
	if _, err := command.New(declared); err != nil {
		return nil, err
	}
	c.Refresh()
	return c, nil
}

// Refresh looks at the sources anew, and reports whether they have changed.
func (c *Catalogue) Refresh() bool {
	all := slices.Clone(c.builtin)
	for _, s := range c.sources {
		all = append(all, s.Commands()...)
	}
	var made []string
	for _, e := range all {
		made = append(made, e.Declaration.Origin+"\x00"+e.Declaration.ID+"\x00"+e.Declaration.Version)
	}
	if was := c.now.Load(); was != nil && slices.Equal(was.made, made) {
		return false
	}
	next := &catalogue{programs: map[string]Entry{}, made: made}
	var declared []command.Declaration
	for _, e := range all {
		tree, err := command.New(append(slices.Clone(declared), e.Declaration))
		if err != nil {
			next.problems = append(next.problems, Problem{e.Declaration.Origin, err.Error()})
			continue
		}
		declared = append(declared, e.Declaration)
		next.tree, next.programs[e.Declaration.ID] = tree, e
	}
	c.now.Store(next)
	return true
}

// Parse understands a line, with the help of the source of its command.
func (c *Catalogue) Parse(line string, look command.Lookup) (command.Parsed, error) {
	now := c.now.Load()
	p, err := now.tree.Parse(line, look)
	if err != nil || p.Options.Help {
		return p, err
	}
	if match := now.programs[p.Declaration.ID].Match; match != nil {
		if m, ok := match(p); ok && now.programs[m.Declaration.ID].Program != nil {
			return m, nil
		}
	}
	return p, nil
}

// Tree is all commands as they are typed.
func (c *Catalogue) Tree() *command.Tree { return c.now.Load().tree }

// Problems says which commands do not count, and why.
func (c *Catalogue) Problems() []Problem { return c.now.Load().problems }

// Find implements runner.Programs.
func (c *Catalogue) Find(commandID string) (command.Declaration, program.Program, bool) {
	e, ok := c.now.Load().programs[commandID]
	return e.Declaration, e.Program, ok
}
