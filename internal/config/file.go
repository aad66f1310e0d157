package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/watchroom/watchroom/internal/strictyaml"
)

// File is the flag --config. The keys of the file are the names of the flags;
// one file may serve all commands, so a command ignores what only others know,
// but a key that nobody knows is an error.
type File string

// BeforeResolve reads the file; kong calls it when the flag was given.
func (File) BeforeResolve(ctx *kong.Context, trace *kong.Path) error {
	name, ok := ctx.FlagValue(trace.Flag).(File)
	if !ok || name == "" {
		return nil
	}
	text, err := os.ReadFile(string(name))
	if err != nil {
		if path, ok := errors.AsType[*fs.PathError](err); ok {
			err = path.Err // the name is said once
		}
		return fmt.Errorf("--config %s: %w", name, err)
	}
	values, err := parse(string(name), text)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	ctx.AddResolver(values)
	return nil
}

// values are the settings of a file as flags take them; a key is a flag's name.
type values map[string]string

func parse(name string, text []byte) (values, error) {
	doc, err := strictyaml.Parse(name, text)
	if err != nil {
		return nil, err
	}
	known, err := names()
	if err != nil {
		return nil, err
	}
	found := values{}
	for _, p := range doc.Pairs {
		if !slices.Contains(known, p.Key) {
			return nil, p.At.Errorf("there is no setting %q; there are: %s", p.Key, strings.Join(known, ", "))
		}
		switch v := p.Value; v.Kind {
		case strictyaml.Scalar:
			found[p.Key] = v.Text
		case strictyaml.List:
			items := make([]string, len(v.Items))
			for i, item := range v.Items {
				if item.Kind != strictyaml.Scalar {
					return nil, item.At.Errorf("%s: a list of plain values is needed", p.Key)
				}
				items[i] = item.Text
			}
			found[p.Key] = strings.Join(items, ",")
		case strictyaml.Null: // as if it were not there
		case strictyaml.Mapping:
			return nil, p.At.Errorf("%s: a plain value is needed", p.Key)
		}
	}
	return found, nil
}

// names lists the flags of Config, in the order of the struct.
func names() ([]string, error) {
	k, err := kong.New(&Config{}, kong.NoDefaultHelp())
	if err != nil {
		return nil, fmt.Errorf("list settings: %w", err)
	}
	var all []string
	for _, f := range k.Model.Flags {
		all = append(all, f.Name)
	}
	return all, nil
}

// Validate implements kong.Resolver; the keys were checked when reading.
func (values) Validate(*kong.Application) error { return nil }

// Resolve implements kong.Resolver. Kong asks for every flag that was not on
// the command line; what the environment has set is left as it is, for it
// counts more than a file.
func (v values) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	if text, ok := v[flag.Name]; ok {
		return text, nil
	}
	return nil, nil
}
