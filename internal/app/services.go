package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/watchroom/watchroom/internal/bot"
	"github.com/watchroom/watchroom/internal/chatopsrpc"
	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/script"
	"github.com/watchroom/watchroom/internal/slash"
)

// services are the commands of other people's services and webhooks, as a file
// beside the executables names them. It is a source of commands.
type services struct {
	folder  string                           // "": there are none
	client  func(time.Duration) *http.Client // guarded
	replies *slash.Replies
	team    string        // what receivers of webhooks call this server
	every   time.Duration // between two looks at the file
	log     *slog.Logger

	now atomic.Pointer[offer]
}

// offer is what the file says now; it does not change.
type offer struct {
	seen    string
	rpc     []*rpcService
	hooks   []hook
	publish *publishing

	problems []error // what of it cannot be used
}

// rpcService is one service and the commands that it offers.
type rpcService struct {
	declared declaredRPC
	service  *chatopsrpc.Service
	commands atomic.Pointer[[]command.Declaration]
}

type hook struct {
	declaration command.Declaration
	program     *slash.Command
}

// openServices reads the file for the first time.
func openServices(s *services) *services {
	s.now.Store(&offer{})
	s.look()
	return s
}

// Run follows the file and the listings that it names until ctx ends.
func (s *services) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		s.follow(ctx)
	}
	return nil
}

// follow reads listings until the file says something else.
func (s *services) follow(ctx context.Context) {
	polling, stop := context.WithCancel(ctx)
	var polls sync.WaitGroup
	defer polls.Wait()
	defer stop()
	for _, r := range s.now.Load().rpc {
		polls.Go(func() { _ = r.service.Run(polling) }) // it ends with its context and in no other way
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(s.every):
		}
		if s.look() {
			return
		}
	}
}

// look reads the file, and reports whether it says something else than before.
func (s *services) look() bool {
	if s.folder == "" {
		return false
	}
	was, d := s.now.Load(), readServices(s.folder)
	if was.seen == d.seen {
		return false
	}
	next := &offer{seen: d.seen, publish: d.publish}
	problem := func(err error) {
		s.log.Warn("service that cannot be used", "file", script.ServicesFile, "err", err)
		next.problems = append(next.problems, err)
	}
	for _, err := range d.problems {
		problem(err)
	}
	for _, one := range d.rpc {
		r, err := s.rpc(was, one)
		if err != nil {
			problem(err)
			continue
		}
		next.rpc = append(next.rpc, r)
	}
	for _, cfg := range d.hooks {
		program, err := slash.New(cfg, s.client(slash.Timeout), s.replies, s.team)
		if err != nil {
			problem(err)
			continue
		}
		next.hooks = append(next.hooks, hook{whole(program.Declaration(), cfg.URL), program})
	}
	s.now.Store(next)
	return true
}

// rpc is a service of the file. One that has not changed is kept, with the
// listing that it has read.
func (s *services) rpc(was *offer, d declaredRPC) (*rpcService, error) {
	for _, r := range was.rpc {
		if reflect.DeepEqual(r.declared.config, d.config) && r.declared.key.Equal(d.key) {
			return r, nil
		}
	}
	r := &rpcService{declared: d}
	var err error
	r.service, err = chatopsrpc.New(d.config, d.key, s.client(chatopsrpc.Timeout), s.log, func() { s.listed(r) })
	return r, err
}

// listed takes over what a service offers now, and tells what of it is of no use.
func (s *services) listed(r *rpcService) {
	all := r.service.Declarations()
	for i, d := range all {
		all[i] = r.whole(d)
	}
	r.commands.Store(&all)
	state, prefix := r.service.State(), r.service.Prefix()
	for _, rejected := range state.Rejected {
		s.log.Warn("method that cannot be used", "prefix", prefix, "method", rejected.Method, "err", rejected.Why)
	}
	for _, name := range slices.Sorted(maps.Keys(r.declared.config.Policies)) {
		offered := slices.ContainsFunc(state.Methods, func(m chatopsrpc.Method) bool { return m.Name == name })
		if !offered && name != "*" {
			s.log.Warn("policy for a method that the service does not offer", "prefix", prefix, "method", name)
		}
	}
}

// whole is a declaration with a version that changes when anything of it or the
// address does: what was approved is then not run.
func (r *rpcService) whole(d command.Declaration) command.Declaration {
	return whole(d, r.declared.config.URL, r.declared.config.KeyID)
}

func whole(d command.Declaration, more ...string) command.Declaration {
	text, _ := json.Marshal(d) // text and numbers always can be
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %q", text, more))
	d.Version = hex.EncodeToString(sum[:])
	return d
}

// states are the services as they are known now.
func (s *services) states() []bot.Service {
	var all []bot.Service
	for _, r := range s.now.Load().rpc {
		now := r.service.State()
		one := bot.Service{Prefix: r.service.Prefix(), URL: r.service.URL(), ReadAt: now.At, NextAt: now.Next, ETag: now.ETag, Err: now.Err}
		for _, m := range now.Methods {
			one.Methods = append(one.Methods, m.Name)
		}
		for _, m := range now.Rejected {
			one.Rejected = append(one.Rejected, bot.Rejected(m))
		}
		all = append(all, one)
	}
	return all
}

// Commands implements bot.Source.
func (s *services) Commands() []bot.Entry {
	var all []bot.Entry
	now := s.now.Load()
	for _, r := range now.rpc {
		declarations := r.commands.Load()
		if declarations == nil {
			continue
		}
		for _, d := range *declarations {
			all = append(all, bot.Entry{Declaration: d, Program: late{s, d.ID}, Match: s.match(r.service.Prefix())})
		}
	}
	for _, h := range now.hooks {
		all = append(all, bot.Entry{Declaration: h.declaration, Program: late{s, h.declaration.ID}})
	}
	return all
}

// match reads a line with the expressions of the service that has a prefix. What
// they find are the arguments that rules, and those who confirm, see.
func (s *services) match(prefix string) func(command.Parsed) (command.Parsed, bool) {
	return func(p command.Parsed) (command.Parsed, bool) {
		r := s.service(prefix)
		if r == nil {
			return p, false
		}
		behind := strings.Join(append(slices.Clone(p.Declaration.Words[1:]), p.Args[chatopsrpc.LineArg]), " ")
		m, ok := r.service.MatchFor(p.Declaration.ID, behind)
		if !ok {
			return p, false
		}
		p.Declaration, p.Args, p.Given = r.whole(m.Declaration), m.Args, nil
		for _, name := range slices.Sorted(maps.Keys(m.Params)) {
			p.Given = append(p.Given, command.Given{Name: name, Value: m.Params[name]})
		}
		return p, true
	}
}

func (s *services) service(prefix string) *rpcService {
	for _, r := range s.now.Load().rpc {
		if r.service.Prefix() == prefix {
			return r
		}
	}
	return nil
}

// find is what runs a command now.
func (s *services) find(commandID string) program.Program {
	now := s.now.Load()
	for _, r := range now.rpc {
		if p := r.service.Find(commandID); p != nil {
			return p
		}
	}
	for _, h := range now.hooks {
		if h.declaration.ID == commandID {
			return h.program
		}
	}
	return nil
}

// late is the program of a command, looked for when it is run: listings and keys
// change more often than the catalogue looks.
type late struct {
	services *services
	id       string
}

// Run implements program.Program.
func (l late) Run(ctx context.Context, r program.Request, out program.Reporter) (program.Result, error) {
	if p := l.services.find(l.id); p != nil {
		return p.Run(ctx, r, out)
	}
	return program.Result{Outcome: program.Failed, Text: phrase.T("runner.gone"), Why: phrase.T("runner.gone")}, nil
}
