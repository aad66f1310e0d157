package telegramtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf16"
)

// text is what sendMessage and editMessageText have in common.
type text struct {
	ChatID      int64     `json:"chat_id"`
	MessageID   int64     `json:"message_id"`
	Text        string    `json:"text"`
	ParseMode   string    `json:"parse_mode"`
	Entities    []Entity  `json:"entities"`
	ReplyMarkup *Keyboard `json:"reply_markup"`
}

// read parses and checks a text; what is wrong is answered already.
func (s *Server) read(w http.ResponseWriter, body []byte) (in text, to *chatState, ok bool) {
	bad := func(description string) { no(w, http.StatusBadRequest, "Bad Request: "+description, nil) }
	if json.Unmarshal(body, &in) != nil {
		bad("can't parse JSON object")
		return in, nil, false
	}
	to, known := s.chats[in.ChatID]
	switch {
	case !known:
		bad("chat not found")
		return in, nil, false
	case to.gone != "":
		no(w, to.code, to.gone, nil)
		return in, nil, false
	case to.migrateTo != 0:
		no(w, http.StatusBadRequest, "Bad Request: group chat was upgraded to a supergroup chat",
			map[string]any{"migrate_to_chat_id": to.migrateTo})
		return in, nil, false
	}
	switch in.ParseMode {
	case "":
	case "HTML":
		plain, entities, err := parseHTML(in.Text)
		if err != nil {
			bad("can't parse entities: " + err.Error())
			return in, nil, false
		}
		in.Text, in.Entities = plain, entities
	default:
		bad("unsupported parse_mode")
		return in, nil, false
	}
	length := len(utf16.Encode([]rune(in.Text)))
	switch {
	case strings.TrimSpace(in.Text) == "":
		bad("message text is empty")
		return in, nil, false
	case length > 4096:
		bad("message is too long")
		return in, nil, false
	}
	for _, e := range in.Entities {
		if e.Offset < 0 || e.Length <= 0 || e.Offset+e.Length > length {
			bad("entity is out of the text") // stricter than the original, which drops it
			return in, nil, false
		}
	}
	if problem := checkKeyboard(in.ReplyMarkup); problem != "" {
		bad(problem)
		return in, nil, false
	}
	return in, to, true
}

func checkKeyboard(k *Keyboard) string {
	if k == nil {
		return ""
	}
	for _, row := range k.Rows {
		for _, b := range row {
			switch {
			case strings.TrimSpace(b.Text) == "":
				return "text buttons are unallowed in the inline keyboard"
			case (b.Data == "") == (b.URL == ""):
				return "Text buttons are unallowed in the inline keyboard"
			case len(b.Data) > 64:
				return "BUTTON_DATA_INVALID"
			case b.URL == "":
				continue
			}
			u, err := url.Parse(b.URL)
			if err != nil || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "tg" {
				return fmt.Sprintf("inline keyboard button URL '%s' is invalid: Unsupported URL protocol", b.URL)
			}
			if !strings.Contains(u.Hostname(), ".") {
				return fmt.Sprintf("inline keyboard button URL '%s' is invalid: Wrong HTTP URL", b.URL)
			}
		}
	}
	return ""
}

func (s *Server) sendMessage(w http.ResponseWriter, body []byte) {
	in, to, ok := s.read(w, body)
	if !ok {
		return
	}
	m := Message{
		MessageID: int64(len(s.sent) + 1), Date: 1700000000,
		From: &User{ID: Bot, IsBot: true, FirstName: "Watchroom", Username: Username},
		Chat: to.Chat, Text: in.Text, Entities: in.Entities, ReplyMarkup: in.ReplyMarkup,
	}
	s.sent = append(s.sent, m)
	yes(w, m)
}

func (s *Server) editMessageText(w http.ResponseWriter, body []byte) {
	in, to, ok := s.read(w, body)
	if !ok {
		return
	}
	for i := range s.sent {
		m := &s.sent[i]
		if m.MessageID != in.MessageID || m.Chat.ID != to.ID {
			continue
		}
		if m.Text == in.Text {
			no(w, http.StatusBadRequest, "Bad Request: message is not modified: specified new message content and reply markup "+
				"are exactly the same as a current content and reply markup of the message", nil)
			return
		}
		m.Text, m.Entities, m.ReplyMarkup = in.Text, in.Entities, in.ReplyMarkup
		m.Edited++
		yes(w, *m)
		return
	}
	no(w, http.StatusBadRequest, "Bad Request: message to edit not found", nil)
}

func (s *Server) answerCallbackQuery(w http.ResponseWriter, body []byte) {
	var in struct {
		ID   string `json:"callback_query_id"`
		Text string `json:"text"`
	}
	switch {
	case json.Unmarshal(body, &in) != nil:
		no(w, http.StatusBadRequest, "Bad Request: can't parse JSON object", nil)
	case !s.queries[in.ID]:
		no(w, http.StatusBadRequest, "Bad Request: query is too old and response timeout expired or query ID is invalid", nil)
	case len([]rune(in.Text)) > 200:
		no(w, http.StatusBadRequest, "Bad Request: MESSAGE_TOO_LONG", nil)
	default:
		delete(s.queries, in.ID)
		s.toasts = append(s.toasts, Toast{in.ID, in.Text})
		yes(w, true)
	}
}

func (s *Server) getUpdates(w http.ResponseWriter, r *http.Request, body []byte) {
	var in struct {
		Offset  int64    `json:"offset"`
		Limit   int      `json:"limit"`
		Timeout int      `json:"timeout"`
		Allowed []string `json:"allowed_updates"`
	}
	if json.Unmarshal(body, &in) != nil {
		no(w, http.StatusBadRequest, "Bad Request: can't parse JSON object", nil)
		return
	}
	turn, ok := s.beginReading(w)
	if !ok {
		return
	}
	over := time.NewTimer(time.Duration(in.Timeout) * time.Second)
	defer over.Stop()
	for waiting := true; ; {
		found, changed, mine := s.confirmAndFind(in.Offset, turn)
		if !mine {
			no(w, http.StatusConflict, "Conflict: terminated by other getUpdates request; "+
				"make sure that only one bot instance is running", nil)
			return
		}
		if len(found) > 0 || !waiting {
			yes(w, found)
			return
		}
		select {
		case <-changed:
		case <-over.C:
			waiting = false
		case <-r.Context().Done():
			return
		case <-s.done:
			return
		}
	}
}

// beginReading answers what keeps the bot from reading, if anything does. Who
// begins ends the reading of whoever read before.
func (s *Server) beginReading(w http.ResponseWriter) (turn int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.wake()
	switch {
	case s.broken(w):
	case s.webhook:
		no(w, http.StatusConflict, "Conflict: can't use getUpdates method while webhook is active; "+
			"use deleteWebhook to delete the webhook first", nil)
	default:
		s.turn++
		return s.turn, true
	}
	return 0, false
}

// confirmAndFind forgets the updates before offset and returns the others.
func (s *Server) confirmAndFind(offset int64, turn int) (found []map[string]any, changed <-chan struct{}, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if turn != s.turn {
		return nil, nil, false
	}
	kept := s.updates[:0:0]
	found = []map[string]any{}
	for _, u := range s.updates {
		if u.ID >= offset {
			kept = append(kept, u)
			found = append(found, u.Body)
		}
	}
	if len(kept) != len(s.updates) {
		s.updates = kept
		s.wake()
	}
	return found, s.changed, true
}
