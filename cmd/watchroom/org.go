package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/watchroom/watchroom/internal/orgfile"
	"github.com/watchroom/watchroom/internal/orghttp"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

type applyCmd struct {
	Files    []string `arg:"" help:"YAML files; - is standard input. See docs/org-yaml.md." placeholder:"FILE"`
	DryRun   bool     `help:"Only say what would be done."`
	Prune    bool     `help:"Delete users who are not listed, instead of disabling them."`
	NoInvite bool     `help:"Do not invite new users."`
	Remote   remote   `embed:"" group:"On a running server:"`
	Access   access   `embed:""`
}

// Run applies the files to the store, or sends them to a server.
func (cmd *applyCmd) Run(ctx context.Context, c *console) error {
	q, doc, err := readFiles(c, cmd.Files)
	if err != nil {
		return err
	}
	o := orghttp.Options{Options: orgfile.Options{Prune: cmd.Prune}, DryRun: cmd.DryRun, NoInvite: cmd.NoInvite}
	if cmd.Remote.given() {
		result, err := cmd.Remote.apply(ctx, q, o)
		if err != nil {
			return err
		}
		showApplied(c, result, false)
		return nil
	}
	return cmd.Access.with(ctx, c, true, func(n *node) error {
		result, err := orghttp.Apply(ctx, n.deps(), people.Operator(), doc, o)
		if err == nil || result.Diff != "" { // applied, yet an invitation may have failed
			showApplied(c, result, cmd.Access.Mail.Configured())
		}
		return err
	})
}

func showApplied(c *console, r orghttp.Result, mailed bool) {
	defer func() { // last, where it is seen
		for _, text := range r.Warnings {
			c.note("\n" + text)
		}
	}()
	if r.Diff == "" {
		c.say(phrase.T("cli.apply.nothing"))
		return
	}
	c.say(strings.TrimRight(r.Diff, "\n"))
	if r.DryRun {
		c.say("\n" + phrase.T("cli.apply.dry_run"))
		return
	}
	c.say("\n" + phrase.N("cli.apply.done", len(r.Applied)))
	if len(r.Invitations) == 0 {
		return
	}
	key := "cli.apply.invited"
	if mailed {
		key = "cli.apply.invited_mail"
	}
	c.say("\n" + phrase.T(key))
	for _, i := range r.Invitations {
		c.say("  " + i.Username + "  " + i.Link)
	}
}

// readFiles reads and parses the files, and keeps what a server needs to do
// the same: their text and the secrets that they name.
func readFiles(c *console, names []string) (orghttp.Request, orgfile.Document, error) {
	q := orghttp.Request{Env: map[string]string{}}
	var files []orgfile.File
	for _, name := range names {
		text, err := readFile(c.in, name)
		if err != nil {
			return q, orgfile.Document{}, err
		}
		if blank(text) {
			c.note(phrase.T("cli.apply.empty", name))
		}
		files = append(files, orgfile.File{Name: name, Text: text})
		q.Files = append(q.Files, orghttp.RequestFile{Name: name, Text: string(text)})
	}
	doc, err := orgfile.Parse(files, orgfile.Secrets{
		Env: func(name string) (string, bool) {
			value, ok := os.LookupEnv(name)
			q.Env[name] = value
			return value, ok
		},
		File: func(in, name string) (string, error) {
			path := name
			if !filepath.IsAbs(name) { // beside the file that names it
				path = filepath.Join(filepath.Dir(in), name)
			}
			text, err := os.ReadFile(path)
			q.SecretFiles = append(q.SecretFiles, orghttp.SecretFile{In: in, Name: name, Text: string(text)})
			return string(text), err
		},
	})
	return q, doc, err
}

// blank reports whether a YAML file has nothing but comments.
func blank(text []byte) bool {
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' && string(line) != "---" {
			return false
		}
	}
	return true
}

func readFile(stdin io.Reader, name string) ([]byte, error) {
	if name == "-" {
		text, err := io.ReadAll(stdin)
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return text, nil
	}
	return os.ReadFile(name)
}

type exportCmd struct {
	Remote remote `embed:"" group:"On a running server:"`
	Access access `embed:""`
}

// Run writes the organisation to standard output.
func (cmd *exportCmd) Run(ctx context.Context, c *console) error {
	if cmd.Remote.given() {
		text, err := cmd.Remote.export(ctx)
		if err != nil {
			return err
		}
		_, err = c.out.Write(text)
		return err
	}
	s, err := openStore(ctx, cmd.Access.Storage, false)
	if err != nil {
		return err
	}
	o, err := s.Org(ctx)
	if err == nil {
		_, err = c.out.Write(orgfile.Export(o).Encode())
	}
	return errors.Join(err, s.Close())
}
