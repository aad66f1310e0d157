package script

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/phrase"
)

// secretsFolder is beside the executables; each of them has a folder of its own
// in it, and each secret a file.
const secretsFolder = "secrets"

// maxSecret is longer than any key.
const maxSecret = 64 << 10

// Lack is a secret that a command needs and cannot get.
type Lack struct {
	Secret string // its name
	Place  string // where it is looked for, in the folder of commands
	Err    error

	command string
}

// Sentence says for people what is missing and what to do.
func (l Lack) Sentence() string {
	switch {
	case errors.Is(l.Err, fs.ErrNotExist):
		return phrase.T("script.secret.missing", l.Secret, l.command, l.Place)
	case errors.Is(l.Err, errReadable):
		return phrase.T("script.secret.readable", l.Secret, l.command, l.Place)
	case errors.Is(l.Err, errEmpty):
		return phrase.T("script.secret.empty", l.Secret, l.command, l.Place)
	case errors.Is(l.Err, errLong):
		return phrase.T("script.secret.long", l.Secret, l.command, l.Place)
	}
	return phrase.T("script.secret.broken", l.Secret, l.command, l.Place, cause(l.Err))
}

var (
	errReadable = errors.New("a secret must be readable by its owner alone")
	errEmpty    = errors.New("is empty")
	errLong     = errors.New("is longer than 64 KiB")
)

// ReadSecrets reads the secrets of the command, as they are now. Its errors are
// faults that name the first that is missing, never what stands in one.
func (c *Command) ReadSecrets() (map[string]string, error) {
	values, lacks := c.readSecrets()
	if len(lacks) > 0 {
		return nil, fault.Invalid(lacks[0].Secret, lacks[0].Sentence()).Because(lacks[0].Err)
	}
	return values, nil
}

// Lacks are the secrets of the command that are not there, as they are now.
func (c *Command) Lacks() []Lack {
	_, lacks := c.readSecrets()
	return lacks
}

func (c *Command) readSecrets() (values map[string]string, lacks []Lack) {
	if len(c.Secrets) == 0 {
		return nil, nil
	}
	values = map[string]string{}
	root, err := os.OpenRoot(c.folder)
	if err == nil {
		defer root.Close()
	}
	for _, name := range c.Secrets {
		place := filepath.Join(secretsFolder, c.name, name)
		one := err
		if err == nil {
			values[name], one = ReadSecret(root, place)
		}
		if one != nil {
			lacks = append(lacks, Lack{name, place, one, c.Declaration.Name()})
		}
	}
	return values, lacks
}

// ReadSecret reads a secret in the folder of commands: a regular file that only
// its owner may read, with something in it.
func ReadSecret(root *os.Root, name string) (string, error) {
	f, err := root.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s: not a regular file", name)
	case info.Mode().Perm()&0o077 != 0:
		return "", fmt.Errorf("%s: %w", name, errReadable)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	value := strings.TrimRight(string(text), "\r\n")
	switch {
	case err != nil:
		return "", err
	case len(text) > maxSecret:
		return "", fmt.Errorf("%s %w", name, errLong)
	case value == "":
		return "", fmt.Errorf("%s %w", name, errEmpty)
	}
	return value, nil
}
