package twiliotest

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

func (m Message) resource() map[string]any {
	r := map[string]any{
		"sid": m.SID, "account_sid": AccountSID, "status": m.Status, "direction": m.Direction, "to": m.To, "from": m.From, "body": m.Body,
		"num_segments": "1", "error_code": nil, "error_message": nil,
		"date_created": m.At.UTC().Format(time.RFC1123Z), "date_sent": m.At.UTC().Format(time.RFC1123Z),
	}
	if m.ErrorCode != 0 {
		r["error_code"], r["error_message"] = m.ErrorCode, "what went wrong"
	}
	return r
}

func (c Call) resource() map[string]any {
	return map[string]any{
		"sid": c.SID, "account_sid": AccountSID, "status": c.Status, "direction": "outbound-api",
		"to": c.To, "from": c.From, "answered_by": nil, "duration": nil,
	}
}

// show answers with one message or call.
func (s *Server) show(w http.ResponseWriter, sid string) {
	for _, m := range s.messages {
		if m.SID == sid {
			answer(w, http.StatusOK, m.resource())
			return
		}
	}
	for _, c := range s.calls {
		if c.SID == sid {
			answer(w, http.StatusOK, c.resource())
			return
		}
	}
	refuse(w, trouble{status: http.StatusNotFound, code: 20404, message: "The requested resource was not found"})
}

// list answers with a page of messages, the newest first.
func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	s.lists++
	query := r.URL.Query()
	since, err := time.Parse(time.RFC3339, query.Get("DateSent>"))
	if query.Has("DateSent>") && err != nil {
		refuse(w, trouble{status: http.StatusBadRequest, code: 20001, message: "DateSent is not a date"})
		return
	}
	var found []Message
	for _, m := range slices.Backward(s.messages) {
		if (query.Get("To") == "" || m.To == query.Get("To")) && !m.At.Truncate(time.Second).Before(since) {
			found = append(found, m)
		}
	}
	size, _ := strconv.Atoi(query.Get("PageSize"))
	if size <= 0 || size > s.pageSize {
		size = s.pageSize
	}
	first, _ := strconv.Atoi(query.Get("PageToken"))
	page := []map[string]any{}
	for _, m := range found[min(first, len(found)):min(first+size, len(found))] {
		page = append(page, m.resource())
	}
	body := map[string]any{"messages": page, "page_size": size, "next_page_uri": nil}
	if first+size < len(found) {
		next := url.Values{}
		maps.Copy(next, query)
		next.Set("PageToken", strconv.Itoa(first+size))
		body["next_page_uri"] = fmt.Sprintf("%s?%s", r.URL.Path, next.Encode())
	}
	answer(w, http.StatusOK, body)
}
