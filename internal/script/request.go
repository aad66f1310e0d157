package script

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/secret"
)

// Names under which the runner may give Request.Secrets a way back into the
// conversation; both reach the script as they are.
const (
	APISecret   = "CHATOPS_API"   // an address
	TokenSecret = "CHATOPS_TOKEN" // lives as long as the call
)

// request is what a script reads from its standard input.
type request struct {
	Invocation string            `json:"invocation"`
	Command    string            `json:"command"`
	User       person            `json:"user"`
	Room       place             `json:"room"`
	Thread     int64             `json:"thread,omitempty"`
	Message    int64             `json:"message,omitempty"`
	Incident   int64             `json:"incident,omitempty"`
	Reason     string            `json:"reason,omitempty"`
	Args       map[string]string `json:"args"`
	Given      []given           `json:"given"`
	Secrets    map[string]string `json:"secrets,omitempty"` // arguments of type secret
	Line       string            `json:"line"`
	Deadline   time.Time         `json:"deadline"`
	DryRun     bool              `json:"dry_run,omitempty"`
	JSON       bool              `json:"json,omitempty"`
	Zone       string            `json:"zone,omitempty"`
	Now        time.Time         `json:"now"`
}

type (
	person struct {
		ID       string `json:"id,omitempty"`
		Username string `json:"username"`
		Name     string `json:"name"`
	}
	place struct {
		ID   string `json:"id,omitempty"`
		Name string `json:"name"`
	}
	given struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
)

// stdin is the request as one JSON object and a newline.
func (c *Command) stdin(r program.Request, deadline time.Time) ([]byte, error) {
	q := request{
		Invocation: string(r.ID), Command: r.Command,
		User: person{string(r.Actor.User), r.Username, r.Actor.Name}, Room: place{string(r.Room), r.RoomName},
		Thread: int64(r.Thread), Message: int64(r.Message), Incident: int64(r.Incident), Reason: r.Reason,
		Args: map[string]string{}, Given: []given{}, Secrets: c.secretArgs(r), Line: r.Line,
		Deadline: deadline.UTC().Truncate(time.Second), DryRun: r.DryRun, JSON: r.JSON, Now: r.Now.UTC(),
	}
	maps.Copy(q.Args, r.Args)
	for _, g := range r.Given {
		if _, secret := q.Secrets[g.Name]; !secret {
			q.Given = append(q.Given, given(g))
		}
	}
	for name := range q.Secrets {
		delete(q.Args, name)
	}
	if r.Zone != nil {
		q.Zone = r.Zone.String()
	}
	text, err := json.Marshal(q)
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	return append(text, '\n'), nil
}

// secretArgs are the arguments that nobody may see, not even in the list of processes.
func (c *Command) secretArgs(r program.Request) map[string]string {
	all := map[string]string{}
	for _, a := range c.Declaration.Args {
		if v, ok := r.Secrets[a.Name]; ok && a.Type == command.Secret {
			all[a.Name] = v
		}
	}
	return all
}

// argv are the arguments by position in the order of the declaration, then the
// options as --name=value. An argument that was left out is "" when another
// follows it. refusal is a sentence when the script could mistake a value for an
// option: somebody allowed to name an application must not get to name a flag.
func (c *Command) argv(r program.Request) (args []string, refusal string) {
	var options []string
	filled := 0
	for _, a := range c.Declaration.Args {
		v, ok := r.Args[a.Name]
		switch {
		case a.Type == command.Secret:
			continue
		case strings.ContainsRune(v, 0):
			return nil, phrase.T("script.zero_byte", a.Name)
		case a.Option && ok:
			options = append(options, named(a, v)...)
		case a.Option:
		default:
			values := []string{v}
			if a.Many && ok {
				values = command.Values(v)
			}
			for _, v := range values {
				if strings.HasPrefix(v, "-") && a.Type != command.Int && a.Type != command.Duration && a.Pattern == "" {
					return nil, phrase.T("script.dash", a.Name, v)
				}
				args = append(args, v)
			}
			if ok {
				filled = len(args)
			}
		}
	}
	return append(args[:filled:filled], options...), ""
}

// named is an option as it is written, once for each value.
func named(a command.Arg, v string) []string {
	if !a.Many {
		return []string{"--" + a.Name + "=" + v}
	}
	var all []string
	for _, one := range command.Values(v) {
		all = append(all, "--"+a.Name+"="+one)
	}
	return all
}

// environment is all that the script sees of ours.
func (c *Command) environment(r program.Request, folder string) []string {
	env := map[string]string{
		"PATH": c.options.Path, "LANG": c.options.Lang, "HOME": folder, "TMPDIR": folder,
		"CHATOPS_INVOCATION": string(r.ID), "CHATOPS_USER": r.Username, "CHATOPS_ROOM": r.RoomName,
	}
	maps.Copy(env, c.Settings)
	for _, name := range append([]string{APISecret, TokenSecret}, c.Secrets...) {
		if v, ok := r.Secrets[name]; ok {
			env[name] = v
		}
	}
	for name, v := range c.secretArgs(r) {
		env["CHATOPS_SECRET_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))] = v
	}
	if r.DryRun {
		env["CHATOPS_DRY_RUN"] = "1"
	}
	if r.JSON {
		env["CHATOPS_JSON"] = "1"
	}
	all := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		all = append(all, name+"="+strings.ReplaceAll(env[name], "\x00", ""))
	}
	return all
}

// masker knows every secret that the run can say: those of others, too, which it
// was not given and may have found elsewhere.
func (c *Command) masker(r program.Request) *secret.Masker {
	var values []string
	for name, v := range r.Secrets {
		if name != APISecret {
			values = append(values, v)
		}
	}
	return secret.NewMasker(values)
}
