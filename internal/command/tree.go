package command

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// maxWords is how many words a command or an alias has at most.
const maxWords = 6

// Tree is all commands by their words. It never changes once made.
type Tree struct {
	root     node
	all      []Declaration // by name
	patterns map[string]*regexp.Regexp
}

// node is one word of the tree.
type node struct {
	next    map[string]*node
	command *Declaration // nil: no command ends here
}

// New makes the tree of what is declared. A declaration that is wrong, or whose
// words or id another before it has, is left out, and the error names it; the
// tree of the others is returned all the same.
func New(declarations []Declaration) (*Tree, error) {
	t := &Tree{patterns: map[string]*regexp.Regexp{}}
	var wrong []error
	ids := map[string]string{}
	for _, d := range declarations {
		if err := d.Validate(); err != nil {
			wrong = append(wrong, err)
			continue
		}
		if other, ok := ids[d.ID]; ok {
			wrong = append(wrong, fmt.Errorf("commands %q and %q both have the id %s", other, d.Name(), d.ID))
			continue
		}
		if err := t.add(d); err != nil {
			wrong = append(wrong, err)
			continue
		}
		ids[d.ID] = d.Name()
	}
	slices.SortFunc(t.all, func(a, b Declaration) int { return cmp.Compare(a.Name(), b.Name()) })
	return t, errors.Join(wrong...)
}

// add puts d under its words and aliases, or nowhere.
func (t *Tree) add(d Declaration) error {
	lines := [][]string{d.Words}
	for _, alias := range d.Aliases {
		lines = append(lines, strings.Fields(alias))
	}
	for i, words := range lines {
		if other := t.at(words); other != nil && other.command != nil {
			return fmt.Errorf("commands %s and %s are both called %q", other.command.ID, d.ID, strings.Join(words, " "))
		}
		if slices.ContainsFunc(lines[:i], func(w []string) bool { return slices.Equal(w, words) }) {
			return fmt.Errorf("command %s is called %q twice", d.ID, strings.Join(words, " "))
		}
	}
	for _, a := range d.Args {
		if a.Pattern != "" && t.patterns[a.Pattern] == nil {
			re, err := whole(a.Pattern)
			if err != nil {
				return fmt.Errorf("command %s: argument %q: pattern: %w", d.ID, a.Name, err)
			}
			t.patterns[a.Pattern] = re
		}
	}
	t.all = append(t.all, d)
	for _, words := range lines {
		n := &t.root
		for _, w := range words {
			if n.next[w] == nil {
				if n.next == nil {
					n.next = map[string]*node{}
				}
				n.next[w] = &node{}
			}
			n = n.next[w]
		}
		n.command = &d
	}
	return nil
}

func (t *Tree) at(words []string) *node {
	n := &t.root
	for _, w := range words {
		if n = n.next[w]; n == nil {
			return nil
		}
	}
	return n
}

// All lists the commands by name. It belongs to the tree.
func (t *Tree) All() []Declaration { return t.all }

// Find returns the command with that id.
func (t *Tree) Find(commandID string) (Declaration, bool) {
	for _, d := range t.all {
		if d.ID == commandID {
			return d, true
		}
	}
	return Declaration{}, false
}

// Named returns the command that is called name, or has it as an alias.
func (t *Tree) Named(name string) (Declaration, bool) {
	words := strings.Fields(strings.ToLower(name))
	if n := t.at(words); n != nil && n.command != nil {
		return *n.command, true
	}
	return Declaration{}, false
}

// First reports whether a command or alias begins with word, in any case.
func (t *Tree) First(word string) bool { return t.root.next[strings.ToLower(word)] != nil }

// Only is the tree of the commands that may lets through.
func (t *Tree) Only(may func(Declaration) bool) *Tree {
	only := &Tree{patterns: t.patterns}
	for _, d := range t.all {
		if may(d) {
			_ = only.add(d) // it stood beside the others before
		}
	}
	return only
}
