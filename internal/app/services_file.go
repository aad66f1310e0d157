package app

import (
	"cmp"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/chatopsrpc"
	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/script"
	"github.com/watchroom/watchroom/internal/slash"
	"github.com/watchroom/watchroom/internal/strictyaml"
)

// declared is what the file of services says, with the keys that it names.
type declared struct {
	rpc      []declaredRPC
	hooks    []slash.Config
	publish  *publishing // nil: nothing is published
	problems []error     // of entries that are left out
	seen     string      // changes when the file or one of the keys does
}

type declaredRPC struct {
	config chatopsrpc.Config
	key    *rsa.PrivateKey
}

// publishing says whom our own commands are offered to.
type publishing struct {
	keys   map[string]*rsa.PublicKey // by the name of their file
	people map[string]string         // usernames, by the client's logins
	only   []string                  // ids of commands; none: all that may be
}

// maxServices is more than anybody writes by hand.
const maxServices = 256 << 10

var hookName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)

// readServices reads the file in the folder of commands. An entry that is broken
// hides no other; a file that cannot be read as a whole offers nothing.
func readServices(folder string) declared {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return declared{problems: []error{err}, seen: err.Error()}
	}
	defer root.Close()
	r := &servicesReader{root: root, seen: sha256.New()}
	if text, ok := r.file(); ok {
		if top, err := strictyaml.Parse(script.ServicesFile, text); err != nil {
			r.problems = append(r.problems, err)
		} else {
			r.top(top)
		}
	}
	r.found.problems, r.found.seen = r.problems, hex.EncodeToString(r.seen.Sum(nil))
	return r.found
}

// servicesReader collects what the file says and what is wrong with it.
type servicesReader struct {
	root     *os.Root
	seen     hash.Hash
	found    declared
	problems []error
}

// file is the text; false when there is none.
func (r *servicesReader) file() ([]byte, bool) {
	f, err := r.root.Open(script.ServicesFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false
	}
	var text []byte
	if err == nil {
		defer f.Close()
		info, statErr := f.Stat()
		switch {
		case statErr != nil:
			err = statErr
		case !info.Mode().IsRegular():
			err = fmt.Errorf("%s: not a regular file", script.ServicesFile)
		case info.Mode().Perm()&0o002 != 0:
			err = fmt.Errorf("%s: everybody may write to it: chmod o-w", script.ServicesFile)
		default:
			text, err = io.ReadAll(io.LimitReader(f, maxServices+1))
		}
	}
	if err == nil && len(text) > maxServices {
		err = fmt.Errorf("%s: longer than %d bytes", script.ServicesFile, maxServices)
	}
	r.look(script.ServicesFile, text, err)
	if err != nil {
		r.problems = append(r.problems, err)
		return nil, false
	}
	return text, true
}

// look makes what was read part of what the file looks like.
func (r *servicesReader) look(name string, text []byte, err error) {
	_, _ = fmt.Fprintf(r.seen, "%q %q %v\n", name, text, err) // a hash takes everything
}

func (r *servicesReader) top(n strictyaml.Node) {
	e := r.entry(n, "the file", "rpc", "webhooks", "publish")
	for _, item := range e.items("rpc") {
		r.rpc(item)
	}
	for _, item := range e.items("webhooks") {
		r.webhook(item)
	}
	e.done()
	if n, ok := n.Get("publish"); ok && n.Kind != strictyaml.Null {
		r.publish(n)
	}
}

// policyKeys are what may be said of every command.
var policyKeys = []string{"risk", "permission", "rooms", "confirm", "approval"}

func (r *servicesReader) rpc(n strictyaml.Node) {
	e := r.entry(n, "a service", "prefix", "url", "key_id", "key_file", "methods")
	d := declaredRPC{config: chatopsrpc.Config{
		URL: e.needed("url"), Prefix: e.needed("prefix"), KeyID: e.text("key_id"), Policies: map[string]chatopsrpc.Policy{},
	}}
	if methods, ok := n.Get("methods"); ok && methods.Kind != strictyaml.Null {
		for _, m := range e.pairs(methods, "methods") {
			p := e.below(m.Value, "method "+m.Key, slices.Concat(policyKeys, []string{"private", "off"})...)
			d.config.Policies[m.Key] = chatopsrpc.Policy{
				Risk: p.risk(), Permission: p.text("permission"), Rooms: p.list("rooms"), Confirm: p.yes("confirm"), Approval: p.approval(),
				Private: p.yes("private"), Off: p.yes("off"),
			}
		}
	}
	if text := e.secret("key_file", true); text != "" {
		var err error
		if d.key, err = chatopsrpc.ParseKey(text); err != nil {
			e.say(n.At, "key_file: %w", err)
		}
	}
	e.check(d.config.Validate)
	if slices.ContainsFunc(r.found.rpc, func(o declaredRPC) bool { return o.config.Prefix == d.config.Prefix }) {
		e.say(n.At, "prefix: there is another service with %q", d.config.Prefix)
	}
	if e.done() {
		r.found.rpc = append(r.found.rpc, d)
	}
}

func (r *servicesReader) webhook(n strictyaml.Node) {
	e := r.entry(n, "a webhook", slices.Concat([]string{
		"name", "words", "url", "url_file", "format", "secret_file", "token_file", "summary", "details", "lock",
	}, policyKeys)...)
	words := e.list("words")
	if len(words) == 1 {
		words = strings.Fields(words[0])
	}
	c := slash.Config{
		Name: cmp.Or(e.text("name"), strings.Join(words, "-")), Words: words, URL: cmp.Or(e.text("url"), e.secret("url_file", false)),
		Format: slash.Format(e.text("format")), Secret: e.secret("secret_file", false), Token: e.secret("token_file", false),
		Summary: e.needed("summary"), Details: e.text("details"), Risk: e.risk(), Permission: e.text("permission"), Rooms: e.list("rooms"),
		Confirm: e.yes("confirm"), Approval: e.approval(), Lock: e.text("lock"),
	}
	switch {
	case len(words) == 0:
		e.say(n.At, "words: write the words as they are typed")
	case !hookName.MatchString(c.Name):
		e.say(n.At, "name: %q: give one word of lower-case letters, digits, - and _", c.Name)
	case slices.ContainsFunc(r.found.hooks, func(o slash.Config) bool { return o.Name == c.Name }):
		e.say(n.At, "name: there is another webhook called %q", c.Name)
	default:
		e.check(c.Validate)
	}
	if e.done() {
		r.found.hooks = append(r.found.hooks, c)
	}
}

func (r *servicesReader) publish(n strictyaml.Node) {
	e := r.entry(n, "publish", "keys", "people", "commands")
	p := &publishing{keys: map[string]*rsa.PublicKey{}, people: map[string]string{}, only: e.list("commands")}
	for _, name := range e.list("keys") {
		text, err := r.root.ReadFile(name)
		r.look(name, text, err)
		if err == nil {
			p.keys[name], err = chatopsrpc.ParsePublicKey(string(text))
		}
		if err != nil {
			e.say(n.At, "keys: %s: %w", name, err)
		}
	}
	if people, ok := n.Get("people"); ok {
		of := e.below(people, "people", keysOf(people)...)
		for _, login := range keysOf(people) {
			p.people[login] = of.needed(login)
		}
	}
	if len(p.keys) == 0 {
		e.say(n.At, "keys: name the file of the client's public key")
	}
	if len(p.people) == 0 {
		e.say(n.At, "people: write the client's logins and who of us they are; nobody is recognised by having the same name")
	}
	if e.done() {
		r.found.publish = p
	}
}

func keysOf(n strictyaml.Node) []string {
	keys := make([]string, 0, len(n.Pairs))
	for _, pair := range n.Pairs {
		keys = append(keys, pair.Key)
	}
	return keys
}

// entry is one mapping of the file; its mistakes are collected until done.
type entry struct {
	r    *servicesReader
	node strictyaml.Node
	errs *[]error
}

func (r *servicesReader) entry(n strictyaml.Node, what string, known ...string) entry {
	return entry{r: r, errs: &[]error{}}.below(n, what, known...)
}

// below is a mapping inside of e, of whose mistakes it is a part.
func (e entry) below(n strictyaml.Node, what string, known ...string) entry {
	e.node = n
	if n.Kind != strictyaml.Mapping {
		e.say(n.At, "%s is a mapping with %s", what, strings.Join(known, ", "))
		return e
	}
	for _, pair := range n.Pairs {
		if !slices.Contains(known, pair.Key) {
			e.say(pair.At, "%s has no %q; it may have %s", what, pair.Key, strings.Join(known, ", "))
		}
	}
	return e
}

// done hands the mistakes on, and reports whether there are none.
func (e entry) done() bool {
	e.r.problems = append(e.r.problems, *e.errs...)
	return len(*e.errs) == 0
}

func (e entry) say(at strictyaml.Position, format string, args ...any) {
	*e.errs = append(*e.errs, at.Errorf(format, args...))
}

// check adds what is wrong with the whole, when each part is well.
func (e entry) check(validate func() error) {
	if len(*e.errs) > 0 {
		return
	}
	if err := validate(); err != nil {
		e.say(e.node.At, "%w", err)
	}
}

func (e entry) text(key string) string {
	n, ok := e.node.Get(key)
	if ok && (n.Kind != strictyaml.Scalar || strings.ContainsRune(n.Text, 0)) {
		e.say(n.At, "%s: write one plain value", key)
	}
	return n.Text
}

func (e entry) needed(key string) string {
	text := e.text(key)
	if text == "" {
		e.say(e.node.At, "%s is missing", key)
	}
	return text
}

// secret is what a file beside says that the owner of the server alone may read.
func (e entry) secret(key string, needed bool) string {
	name := e.text(key)
	if name == "" {
		if needed {
			e.say(e.node.At, "%s is missing", key)
		}
		return ""
	}
	text, err := script.ReadSecret(e.r.root, name)
	e.r.look(name, []byte(text), err)
	if err == nil && text == "" {
		err = fmt.Errorf("%s is empty", name)
	}
	if err != nil {
		e.say(e.node.At, "%s: %w", key, err)
	}
	return text
}

func (e entry) yes(key string) bool {
	text := e.text(key)
	if !slices.Contains([]string{"", "true", "false"}, text) {
		e.say(e.node.At, "%s: %q is neither true nor false", key, text)
	}
	return text == "true"
}

func (e entry) risk() command.Risk {
	risk := command.Risk(e.text("risk"))
	if !slices.Contains([]command.Risk{"", command.Reads, command.Changes, command.Danger}, risk) {
		e.say(e.node.At, "risk: %q is none of read, change, danger", risk)
	}
	return risk
}

func (e entry) approval() command.Approval {
	n, ok := e.node.Get("approval")
	if !ok {
		return command.Approval{}
	}
	in := e.below(n, "approval", "group", "count", "peer", "ttl")
	a := command.Approval{Group: in.text("group"), Peer: in.yes("peer"), Count: 1}
	var err error
	if text := in.text("count"); text != "" {
		if a.Count, err = strconv.Atoi(text); err != nil || a.Count < 1 || a.Count > 10 {
			in.say(n.At, "count: %q is not a whole number from 1 to 10", text)
		}
	}
	if text := in.text("ttl"); text != "" {
		if a.TTL, err = time.ParseDuration(text); err != nil || a.TTL <= 0 {
			in.say(n.At, "ttl: %q is not a duration such as 15m", text)
		}
	}
	return a
}

// items are the entries of a list.
func (e entry) items(key string) []strictyaml.Node {
	n, ok := e.node.Get(key)
	if ok && n.Kind != strictyaml.List && n.Kind != strictyaml.Null {
		e.say(n.At, "%s: write a list", key)
	}
	return n.Items
}

func (e entry) pairs(n strictyaml.Node, what string) []strictyaml.Pair {
	if n.Kind != strictyaml.Mapping {
		e.say(n.At, "%s: write a mapping from the name of a method to what it needs", what)
	}
	return n.Pairs
}

// list takes [a, b] or one plain value.
func (e entry) list(key string) []string {
	n, ok := e.node.Get(key)
	switch {
	case !ok || n.Kind == strictyaml.Null:
		return nil
	case n.Kind == strictyaml.Scalar:
		return []string{n.Text}
	case n.Kind != strictyaml.List:
		e.say(n.At, "%s: write a list", key)
	}
	var all []string
	for _, item := range n.Items {
		if item.Kind != strictyaml.Scalar || item.Text == "" {
			e.say(item.At, "%s: each is one plain value", key)
			continue
		}
		all = append(all, item.Text)
	}
	return all
}
