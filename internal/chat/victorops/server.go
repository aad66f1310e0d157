package victorops

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/live"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Path is where Server answers.
const Path = "/chat"

// Deps is what the endpoint needs.
type Deps struct {
	Store    *store.Store
	Live     *live.Hub
	Dispatch *dispatch.Dispatcher
	// Ours reports whether a message is a command that our own bot answers:
	// robots do not get it. Nil: none is.
	Ours      func(o *org.Org, e timeline.Entry) bool
	PublicURL string // without a slash at the end
	Log       *slog.Logger
}

// Server answers robots. It is an http.Handler for Path.
type Server struct {
	Deps
	pace pace

	life context.Context // ends every session
	stop context.CancelCauseFunc

	mu       sync.Mutex
	ended    bool                  // guarded by mu
	pending  int                   // connections that have not signed in; guarded by mu
	sessions map[id.Robot]*session // guarded by mu
	spoken   map[id.Robot]*memory  // guarded by mu
	open     sync.WaitGroup
}

// pace is how long things take; tests are in more of a hurry.
type pace struct {
	login    time.Duration // until a client must have signed in
	ping     time.Duration // between our pings
	pong     time.Duration // until one must be answered
	look     time.Duration // between two looks at who is on call
	presence time.Duration // at least between two messages that only say who is here
	write    time.Duration // until a client must have taken a frame
	linger   time.Duration // for the last answer to a ping when a session ends
	retry    time.Duration // before what could not be posted is tried again
}

var usual = pace{
	login: 10 * time.Second, ping: 30 * time.Second, pong: 30 * time.Second, look: 15 * time.Second, presence: time.Minute,
	write: 10 * time.Second, linger: time.Second, retry: 500 * time.Millisecond,
}

// Limits of what is open at once: anybody may connect.
const (
	maxPending   = 200
	maxLogin     = 16 << 10 // bytes of a frame before the login
	maxFrame     = 1 << 20  // and after it
	maxRefusals  = 5        // logins on one connection
	maxNonsense  = 20       // frames on one connection that cannot be read
	maxUnknown   = 20       // unknown messages of one connection that are logged
	maxParts     = 10       // lines that one long text of a robot becomes
	lineRate     = 10       // lines a second that a robot may say for long
	lineBurst    = 40
	alertsAtOnce = 200
	maxBehind    = 4096 // alerts
)

// The ways a session ends.
var (
	errTakenOver = errors.New("the robot has signed in again")
	errWithdrawn = errors.New("the key is not valid any more")
	errStopping  = errors.New("the server is restarting")
	errNonsense  = errors.New("too many frames could not be read")
	errLate      = errors.New("no login in time")
	errRefused   = errors.New("too many refused logins")
	errSilent    = errors.New("the other side does not answer pings")
	errBehind    = errors.New("the other side takes alerts too slowly")
)

// New returns a Server; Run ends its sessions.
func New(d Deps) *Server {
	d.PublicURL = strings.TrimSuffix(d.PublicURL, "/")
	if d.Ours == nil {
		d.Ours = func(*org.Org, timeline.Entry) bool { return false }
	}
	s := &Server{Deps: d, pace: usual, sessions: map[id.Robot]*session{}, spoken: map[id.Robot]*memory{}}
	s.life, s.stop = context.WithCancelCause(context.Background())
	return s
}

// Run waits until ctx ends; then it ends every session in good order, so that
// each place is kept, and returns when the last is over.
func (s *Server) Run(ctx context.Context) error {
	<-ctx.Done()
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.stop(errStopping)
	s.open.Wait()
	return nil
}

// Connections tells which robots are connected to this node.
func (s *Server) Connections() map[id.Robot]dispatch.RobotLink {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[id.Robot]dispatch.RobotLink, len(s.sessions))
	for r, c := range s.sessions {
		all[r] = dispatch.RobotLink{Since: c.since, HeardAt: time.UnixMilli(c.heard.Load()).UTC(), Name: c.name}
	}
	return all
}

// ServeHTTP makes a WebSocket of the request and serves it until it ends.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		w.Header().Set("Upgrade", "websocket")
		http.Error(w, phrase.T("hubot.http.upgrade"), http.StatusUpgradeRequired)
		return
	}
	if !s.admit() {
		http.Error(w, phrase.T("hubot.http.busy"), http.StatusServiceUnavailable)
		return
	}
	defer s.open.Done()
	conn, err := websocket.Accept(w, r, nil)
	if err != nil { // the client was told
		s.settle()
		s.Log.InfoContext(r.Context(), "chat endpoint: no upgrade", "from", r.RemoteAddr, "err", err)
		return
	}
	defer func() { _ = conn.CloseNow() }() // mostly it is closed already
	conn.SetReadLimit(maxLogin)
	c := s.newSession(conn, r.RemoteAddr)
	request, err := c.login(s.life) //nolint:contextcheck // the request has become a connection, which lives as long as the server
	s.settle()
	if err == nil {
		err = c.serve(s.life, request) //nolint:contextcheck // as above
	}
	c.close(err)
}

func (s *Server) admit() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.pending >= maxPending {
		return false
	}
	s.pending++
	s.open.Add(1)
	return true
}

// settle is for a connection that is no longer waiting for its login.
func (s *Server) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending--
}

// takeOver makes c the session of its robot. One that was there before is
// ended, and its place is kept when this returns, unless it takes too long.
func (s *Server) takeOver(ctx context.Context, c *session) {
	s.mu.Lock()
	before := s.sessions[c.id]
	s.sessions[c.id] = c
	if s.spoken[c.id] == nil {
		s.spoken[c.id] = newMemory(remembered)
	}
	c.spoken = s.spoken[c.id]
	s.mu.Unlock()
	if before == nil {
		return
	}
	before.end(errTakenOver)
	select {
	case <-before.placed:
	case <-time.After(2 * s.pace.linger): // it is stuck; what it wrote and nobody confirmed comes again
	case <-ctx.Done():
	}
}

func (s *Server) leave(c *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sessions[c.id] == c {
		delete(s.sessions, c.id)
	}
}
