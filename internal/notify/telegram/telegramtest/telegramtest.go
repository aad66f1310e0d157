// Package telegramtest is a Telegram Bot API for tests: one bot, chats with
// people and groups, messages with inline buttons, and updates by long poll with
// the original's rules for offsets. It refuses what the original refuses, with
// the original's descriptions: unknown chats, HTML that does not parse, texts
// and callback data that are too long, links in buttons that have no real host,
// a reader of updates whom another has replaced. It promises to record every message and every
// answer to a button; what people do is up to the test (Press, Say). Media,
// threads and channels are left out.
package telegramtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Token is the bot's, Bot its account and Username its name.
const (
	Token    = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
	Bot      = 110201543
	Username = "watchroom_test_bot"
)

// User is an account.
type User struct {
	ID        int64  `json:"id"`
	IsBot     bool   `json:"is_bot"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name,omitempty"`
	Username  string `json:"username,omitempty"`
}

// Chat is where messages are.
type Chat struct {
	ID   int64  `json:"id"`
	Type string `json:"type"` // private, group, supergroup
}

// Button is a button below a message; one of Data and URL is set.
type Button struct {
	Text string `json:"text"`
	Data string `json:"callback_data,omitempty"`
	URL  string `json:"url,omitempty"`
}

// Keyboard is what is below a message.
type Keyboard struct {
	Rows [][]Button `json:"inline_keyboard"`
}

// Message is a message as it stands in a chat.
type Message struct {
	MessageID   int64     `json:"message_id"`
	Date        int64     `json:"date"`
	From        *User     `json:"from,omitempty"`
	Chat        Chat      `json:"chat"`
	Text        string    `json:"text"` // without markup
	Entities    []Entity  `json:"entities,omitempty"`
	ReplyMarkup *Keyboard `json:"reply_markup,omitempty"`
	ReplyTo     *Message  `json:"reply_to_message,omitempty"`
	Edited      int       `json:"-"` // how many times
}

// Button returns the first button with this text; the zero value when there is none.
func (m Message) Button(text string) Button {
	if m.ReplyMarkup != nil {
		for _, row := range m.ReplyMarkup.Rows {
			for _, b := range row {
				if b.Text == text {
					return b
				}
			}
		}
	}
	return Button{}
}

// Toast is an answer to the press of a button.
type Toast struct {
	Query string
	Text  string
}

type update struct {
	ID   int64
	Body map[string]any
}

// Server is safe for use by many goroutines.
type Server struct {
	URL string // without a slash at the end

	http    *httptest.Server
	done    chan struct{}
	mu      sync.Mutex // guards the rest
	changed chan struct{}
	chats   map[int64]*chatState
	sent    []Message
	toasts  []Toast
	queries map[string]bool // pressed and not answered
	updates []update
	lastID  int64
	turn    int // counts who reads updates; the last one may
	webhook bool
	next    []func(http.ResponseWriter)
}

type chatState struct {
	Chat
	gone      string // the description of why nobody can write there
	code      int
	migrateTo int64
}

// New starts a server that ends with the test.
func New(tb testing.TB) *Server {
	tb.Helper()
	s := Start()
	tb.Cleanup(s.Close)
	return s
}

// Start starts a server that runs until Close.
func Start() *Server {
	s := &Server{
		done: make(chan struct{}), changed: make(chan struct{}),
		chats: map[int64]*chatState{}, queries: map[string]bool{}, lastID: 700,
	}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.http.URL
	return s
}

// Close ends the server, and every poll.
func (s *Server) Close() {
	close(s.done)
	s.http.CloseClientConnections()
	s.http.Close()
}

// AddChat lets the bot write to a chat.
func (s *Server) AddChat(id int64, kind string) {
	s.with(func() { s.chats[id] = &chatState{Chat: Chat{id, kind}} })
}

// Block lets the person of a private chat block the bot.
func (s *Server) Block(id int64) { s.lose(id, 403, "Forbidden: bot was blocked by the user") }

// Deactivate deletes the account behind a private chat.
func (s *Server) Deactivate(id int64) { s.lose(id, 403, "Forbidden: user is deactivated") }

// Kick throws the bot out of a group.
func (s *Server) Kick(id int64) { s.lose(id, 403, "Forbidden: bot was kicked from the group chat") }

// Delete deletes a group.
func (s *Server) Delete(id int64) {
	s.lose(id, 403, "Forbidden: the group chat was deleted")
}

func (s *Server) lose(id int64, code int, description string) {
	s.with(func() { s.chats[id].gone, s.chats[id].code = description, code })
}

// Migrate makes a group a supergroup, which has another id.
func (s *Server) Migrate(from, to int64) {
	s.with(func() {
		s.chats[from].migrateTo = to
		s.chats[to] = &chatState{Chat: Chat{to, "supergroup"}}
	})
}

// UseWebhook switches the bot to a webhook, so that nobody can poll.
func (s *Server) UseWebhook() { s.with(func() { s.webhook = true }) }

// LimitNext makes the next request exceed a limit, for so many seconds.
func (s *Server) LimitNext(retryAfter int) {
	s.answerNext(func(w http.ResponseWriter) {
		no(w, 429, fmt.Sprintf("Too Many Requests: retry after %d", retryAfter), map[string]any{"retry_after": retryAfter})
	})
}

// BreakNext answers the next request from in front of the API.
func (s *Server) BreakNext(status int) {
	s.answerNext(func(w http.ResponseWriter) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<html>This is not Telegram</html>")
	})
}

func (s *Server) answerNext(answer func(http.ResponseWriter)) {
	s.with(func() { s.next = append(s.next, answer) })
}

// Messages returns the bot's messages as they stand now, in order.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

// Toasts returns the answers to buttons, in order.
func (s *Server) Toasts() []Toast {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.toasts)
}

// Unconfirmed says how many updates the bot has not confirmed.
func (s *Server) Unconfirmed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.updates)
}

// Reads says how many questions for updates have begun to wait.
func (s *Server) Reads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.turn
}

// Press lets a person touch a button of a message, which may be one that the
// bot has taken away since.
func (s *Server) Press(by User, messageID int64, data string) {
	s.with(func() {
		query := fmt.Sprintf("4382bfdwdsb323b2d9-%d", s.lastID)
		s.queries[query] = true
		body := map[string]any{"id": query, "from": by, "chat_instance": "1", "data": data}
		for i := range s.sent {
			if s.sent[i].MessageID == messageID {
				body["message"] = s.sent[i]
			}
		}
		s.push(map[string]any{"callback_query": body})
	})
}

// Say lets a person write into a chat; replyTo is a message of the bot, or 0.
func (s *Server) Say(by User, in Chat, text string, replyTo int64) {
	s.with(func() {
		m := Message{MessageID: s.lastID + 5000, Date: 1700000000, From: &by, Chat: in, Text: text}
		for i := range s.sent {
			if s.sent[i].MessageID == replyTo {
				quoted := s.sent[i]
				m.ReplyTo = &quoted
			}
		}
		s.push(map[string]any{"message": m})
	})
}

// PushRaw hands any fields to the bot as an update, for what this server knows nothing of.
func (s *Server) PushRaw(fields map[string]any) { s.with(func() { s.push(fields) }) }

func (s *Server) push(fields map[string]any) {
	s.lastID++
	fields["update_id"] = s.lastID
	s.updates = append(s.updates, update{s.lastID, fields})
}

// Await waits until cond holds. It is asked again after each change, without
// the server's lock, so it may call any method of the server.
func (s *Server) Await(ctx context.Context, cond func() bool) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if cond() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("await: %w", ctx.Err())
		}
	}
}

// with changes the server and wakes who waits for a change.
func (s *Server) with(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	s.wake()
}

func (s *Server) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	method, ok := strings.CutPrefix(r.URL.Path, "/bot"+Token+"/")
	switch {
	case !strings.HasPrefix(r.URL.Path, "/bot"):
		no(w, 404, "Not Found", nil)
		return
	case !ok:
		no(w, 401, "Unauthorized", nil)
		return
	case r.Header.Get("Content-Type") != "application/json":
		no(w, 400, "Bad Request: this fake takes JSON only", nil)
		return
	}
	if method == "getUpdates" {
		s.getUpdates(w, r, body)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.wake()
	if s.broken(w) {
		return
	}
	switch method {
	case "getMe":
		yes(w, User{ID: Bot, IsBot: true, FirstName: "Watchroom", Username: Username})
	case "sendMessage":
		s.sendMessage(w, body)
	case "editMessageText":
		s.editMessageText(w, body)
	case "answerCallbackQuery":
		s.answerCallbackQuery(w, body)
	default:
		no(w, 404, "Not Found", nil)
	}
}

func (s *Server) broken(w http.ResponseWriter) bool {
	if len(s.next) == 0 {
		return false
	}
	answer := s.next[0]
	s.next = s.next[1:]
	answer(w)
	return true
}

func yes(w http.ResponseWriter, result any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"ok": true, "result": result})
}

func no(w http.ResponseWriter, code int, description string, parameters map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	body := map[string]any{"ok": false, "error_code": code, "description": description}
	if parameters != nil {
		body["parameters"] = parameters
	}
	_ = json.NewEncoder(w).Encode(body)
}
