package victorops

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// seeds gives a fuzz target the senders' bodies and the traps of the format.
func seeds(f *testing.F, add func(body []byte)) {
	f.Helper()
	paths, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		add(body)
	}
	for _, body := range []string{
		`{}`, `[]`, `"x"`, `{"message_type":"ok"`, `{"message_type":"o\u0000k","":null}`,
		`{"message_type":"ok","\ud800":"\udc00","api_key" : [ {"api_key":"x"} ]}`,
		`{"message_type":"ok","a":"` + testKey + `","` + testKey + `":{"b":"\\"}}`,
		"{\"message_type\":\"ok\",\"vo_annotate.u.\":\"\xff\",\"timestamp\":1e308}",
		`{"message_type":"ok","vo_annotate.i.x.y":" ","entity_id":"\n","state_start_time":"0x1p40"}`,
	} {
		add([]byte(body))
	}
}

func FuzzParse(f *testing.F) {
	seeds(f, func(body []byte) { f.Add(body) })
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := Parse(body, testOptions())
		var invalid InvalidError
		if err != nil {
			if !errors.As(err, &invalid) || invalid == "" {
				t.Fatalf("error %#v is no InvalidError", err)
			}
			return
		}
		if err := fits(a); err != nil {
			t.Fatal(err)
		}
		again, err := Parse([]byte(a.Raw), testOptions())
		if err != nil {
			t.Fatalf("Raw does not parse: %v", err)
		}
		if diff := cmp.Diff(a, again, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("Raw says something else: %s", diff)
		}
	})
}

func FuzzHandler(f *testing.F) {
	seeds(f, func(body []byte) { f.Add("20131114/alert/"+testKey+"/database", body, false) })
	for _, path := range []string{
		"20131114/alert", "1/alert//" + testKey + "//a/b/", "0/alert/" + testKey + "/%24routing_key",
		"20131114/alert/" + testKey + "/" + testKey, "20131114/alert/%00", "x/alert/%ff/%fe", "", "/", "1/alert/%2F/",
	} {
		f.Add(path, []byte(`{"message_type":"ok","VO_ORGANIZATION_KEY":"`+testKey+`"}`), false)
		f.Add(path, []byte(gzipped(`{"message_type":"ok"}`)), true)
	}
	f.Fuzz(func(t *testing.T, path string, body []byte, gzip bool) {
		u, err := url.Parse(Prefix + path)
		if err != nil {
			return // net/http refuses this before us
		}
		var l ledger
		h, log := newTestHandler(&l)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(string(body)))
		r.URL = u
		if gzip {
			r.Header.Set("Content-Encoding", "gzip")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)

		var answer struct {
			Result   string  `json:"result"`
			EntityID *string `json:"entity_id"`
			Message  *string `json:"message"`
		}
		answered, err := io.ReadAll(w.Body)
		if err == nil {
			err = json.Unmarshal(answered, &answer)
		}
		if err != nil {
			t.Fatalf("answer %q: %v", answered, err)
		}
		success := w.Code == http.StatusOK
		if success != (answer.Result == "success" && answer.EntityID != nil && *answer.EntityID != "") ||
			success == (answer.Result == "failure" && answer.Message != nil) || success != (len(l.taken) == 1) {
			t.Fatalf("status %d, answer %s, %d alerts", w.Code, answered, len(l.taken))
		}
		if strings.Contains(log.String(), testKey) || strings.Contains(string(answered), testKey) {
			t.Fatalf("the key is in the log or in the answer %s:\n%s", answered, log)
		}
		for _, a := range l.taken {
			if err := fits(a); err != nil {
				t.Fatal(err)
			}
		}
	})
}
