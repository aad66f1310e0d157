package victorops

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/live"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/secret"
)

// session is one connection, from its upgrade to its end.
type session struct {
	server *Server
	conn   *websocket.Conn
	log    *slog.Logger
	since  time.Time

	// Set by the login, then never changed.
	id      id.Robot
	name    string // as the robot calls itself
	keyHash string
	number  id.Seq // of this login
	spoken  *memory
	end     context.CancelCauseFunc
	placed  chan struct{} // closed when the place is kept for the last time

	toldDuty []onCall // with the login
	toldHere []status

	heard       atomic.Int64  // when the last frame came, in milliseconds since 1970
	delivered   atomic.Int64  // the last line that was written
	unconfirmed chan struct{} // a line was written since the last ping
	duty        chan struct{} // who is on call may have changed

	// Of the reader alone.
	rate              *rate.Limiter
	nonsense, unknown int  // frames
	outside           bool // it was told that the robot cannot speak in its room
}

func (s *Server) newSession(conn *websocket.Conn, from string) *session {
	return &session{
		server: s, conn: conn, log: s.Log.With("from", from), since: time.Now().UTC(),
		placed: make(chan struct{}), unconfirmed: make(chan struct{}, 1), duty: make(chan struct{}, 1),
		rate: rate.NewLimiter(lineRate, lineBurst),
	}
}

// login waits until the client has said the key of a robot, and returns that
// request. A wrong key is refused and the client may try again; nothing else
// that it says before is heard.
func (c *session) login(life context.Context) (envelope, error) {
	ctx, end := context.WithCancelCause(life)
	defer end(nil)
	late := time.AfterFunc(c.server.pace.login, func() { end(errLate) })
	defer late.Stop()
	// A read whose context ends breaks the connection: this says goodbye first.
	defer context.AfterFunc(ctx, func() {
		if why := context.Cause(ctx); !errors.Is(why, context.Canceled) {
			c.close(why)
		}
	})()
	for refusals := 0; ; {
		e, err := c.receive(ctx)
		if ctx.Err() != nil {
			return e, context.Cause(ctx)
		}
		if err != nil {
			return e, err
		}
		var why string
		switch e.Message {
		case robotLogin:
			if why, err = c.recognise(ctx, e); why == "" || err != nil {
				return e, err
			}
		case userLogin: // people use the browser and the app
			why = phrase.T("hubot.login.robots_only")
		case ping:
			if err := c.answer(ctx, outgoing{Message: pong, Transaction: cut(e.Transaction)}); err != nil {
				return e, err
			}
			continue
		default:
			c.ignore(ctx, e.Message)
			continue
		}
		if err := c.answerLogin(ctx, e, statusRefused, why); err != nil {
			return e, err
		}
		if refusals++; refusals == maxRefusals {
			return e, errRefused
		}
		late.Reset(c.server.pace.login)
	}
}

// recognise finds the robot of a login; why is said to a client that is none.
func (c *session) recognise(ctx context.Context, e envelope) (why string, err error) {
	var in login
	_ = json.Unmarshal(e.Payload, &in) // what is no login has no key
	if in.Key == "" {
		return phrase.T("hubot.login.no_key"), nil
	}
	o, err := c.server.Store.Org(ctx)
	if err != nil {
		return "", err
	}
	hash := secret.Hash(in.Key)
	robot, ok := o.RobotByKey(hash)
	if !ok || o.Users[robot.User].Disabled {
		c.log.WarnContext(ctx, "chat endpoint: unknown key", "name", alert.Cut(in.Name, maxName))
		return phrase.T("hubot.login.wrong_key"), nil
	}
	c.id, c.keyHash, c.name = robot.ID, hash, alert.Cut(in.Name, maxName)
	c.log = c.log.With("robot", robot.Name)
	return "", nil
}

// serve is a session from its login on. It returns why it ended.
func (c *session) serve(life context.Context, request envelope) error {
	ctx, end := context.WithCancelCause(life)
	defer end(nil)
	c.end = end
	c.server.takeOver(ctx, c)
	defer c.server.leave(c)
	f, err := c.begin(ctx, request)
	if err != nil {
		close(c.placed)
		return err
	}
	c.conn.SetReadLimit(maxFrame)
	c.log.InfoContext(ctx, "robot connected", "name", c.name, "after", f.after)

	var reading, parts sync.WaitGroup
	heard, deaf := context.WithCancel(context.WithoutCancel(ctx))
	reading.Go(func() {
		end(guarded(context.WithoutCancel(ctx), c.read))
		deaf() // nobody sees a pong any more
	})
	for _, part := range []func(context.Context) error{f.run, c.confirm, c.watchState} {
		parts.Go(func() { end(guarded(ctx, part)) })
	}
	parts.Wait() // all of them end when one does, or the reader
	why := context.Cause(ctx)
	if !errors.Is(why, errSilent) {
		c.lastPlace(heard)
	}
	close(c.placed)
	c.log.InfoContext(ctx, "robot disconnected", "why", why)
	c.close(why)
	reading.Wait()
	return why
}

// guarded keeps a bug that one robot meets from taking the server with it.
func guarded(ctx context.Context, run func(context.Context) error) (err error) {
	defer fault.Recover(&err)
	return run(ctx)
}

// begin finds the place of the robot, follows from there on, and says yes. What
// is committed after that place is the robot's, so nothing is lost in between;
// what has become of incidents before it is not news.
func (c *session) begin(ctx context.Context, request envelope) (f *follower, err error) {
	f = &follower{session: c}
	if f.marks, err = c.server.marks(ctx); err != nil {
		return nil, err
	}
	if f.alert, err = c.server.newestAlert(ctx); err != nil {
		return nil, err
	}
	if f.after, c.number, err = enter(ctx, c.server.Store, c.id); err != nil {
		return nil, err
	}
	sub, err := c.server.Live.Subscribe(ctx, f.after)
	if err != nil {
		return nil, err
	}
	f.sub = sub
	defer func() {
		if err != nil {
			sub.Close() // f is nothing by then
		}
	}()
	c.delivered.Store(int64(f.after))
	c.heard.Store(time.Now().UnixMilli())
	if err := c.answerLogin(ctx, request, statusOK, "Ok"); err != nil {
		return nil, err
	}
	var o *org.Org
	if o, c.toldDuty, c.toldHere, err = c.state(ctx); err != nil {
		return nil, err
	}
	if _, ok := c.robot(o); !ok {
		return nil, errWithdrawn
	}
	err = c.answer(ctx, stateOf(c.toldDuty, c.toldHere))
	return f, err
}

// robot is the robot as it is now; false when the key is not valid any more.
func (c *session) robot(o *org.Org) (org.Robot, bool) {
	r, ok := o.RobotByKey(c.keyHash)
	return r, ok && r.ID == c.id && !o.Users[r.User].Disabled
}

// confirm pings the client: now and then, and after every line. When it has
// answered, all that was written before has arrived.
func (c *session) confirm(ctx context.Context) error {
	tick := time.NewTicker(c.server.pace.ping)
	defer tick.Stop()
	saved := c.delivered.Load()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-c.unconfirmed:
		}
		written := c.delivered.Load()
		if err := c.ping(ctx, c.server.pace.pong); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return errSilent
		}
		if written <= saved {
			continue
		}
		err := arrived(ctx, c.server.Store, c.id, c.number, id.Seq(written))
		if errors.Is(err, errTakenOver) {
			return err
		}
		if err != nil { // tried again with the next ping
			c.log.ErrorContext(ctx, "robot connected", "err", err)
			continue
		}
		saved = written
	}
}

// ping waits for the answer to a ping; when ctx ends it gives up in a moment,
// for a ping that is broken off breaks the connection.
func (c *session) ping(ctx context.Context, within time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(c.server.pace.linger, cancel) })()
	return c.conn.Ping(wait)
}

// lastPlace keeps the place when the session ends: the reader still runs and
// sees the answer to a last ping.
func (c *session) lastPlace(heard context.Context) {
	written := c.delivered.Load()
	if c.ping(heard, c.server.pace.linger) != nil {
		return // what has not arrived comes again
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(heard), c.server.pace.write)
	defer cancel()
	if err := arrived(ctx, c.server.Store, c.id, c.number, id.Seq(written)); err != nil && !errors.Is(err, errTakenOver) {
		c.log.ErrorContext(ctx, "keep the place of a robot", "err", err)
	}
}

// answer writes a message; a client that does not take it in time is dropped.
func (c *session) answer(ctx context.Context, m outgoing) error {
	text, err := frame(m)
	if err != nil {
		return err
	}
	// Not broken off by the end of the session: half a frame would break the last ping.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.server.pace.write)
	defer cancel()
	return c.conn.Write(ctx, websocket.MessageText, text)
}

func (c *session) answerLogin(ctx context.Context, request envelope, status, text string) error {
	return c.answer(ctx, outgoing{loginReply, cut(request.Transaction), reply{status, text}})
}

// Limits of what is repeated of a client's words.
const (
	maxName        = 80
	maxTransaction = 200
)

func cut(transaction string) string { return alert.Cut(transaction, maxTransaction) }

// close ends the connection with the code that says why.
func (c *session) close(why error) {
	code, text := websocket.StatusNormalClosure, ""
	switch {
	case errors.Is(why, errSilent):
		_ = c.conn.CloseNow() // nobody is there to say goodbye to
		return
	case why == nil:
	case errors.Is(why, errStopping), errors.Is(why, live.ErrClosed):
		code, text = websocket.StatusGoingAway, errStopping.Error()
	case errors.Is(why, live.ErrSlow), errors.Is(why, live.ErrReset), errors.Is(why, errBehind):
		code, text = websocket.StatusTryAgainLater, why.Error()
	case errors.Is(why, errTakenOver), errors.Is(why, errWithdrawn), errors.Is(why, errNonsense), errors.Is(why, errLate), errors.Is(why, errRefused):
		code, text = websocket.StatusPolicyViolation, why.Error()
	case websocket.CloseStatus(why) == -1:
		code, text = websocket.StatusInternalError, ""
	}
	_ = c.conn.Close(code, text) // the other side may have gone
}
