package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/secret"
)

func TestRobots(t *testing.T) {
	h := newHouse(t)
	made := h.want(h.do("ada", http.MethodPost, "/api/v1/robots", `{"name":"Deploy bot"}`), http.StatusCreated)
	key, _ := made.at("key").(string)
	if made.at("username") != "deploy-bot" || made.at("room") != "main" || made.at("url") != "wss://watch.example.org/chat" || made.at("connected") != false || made.at("outside") != false {
		t.Errorf("made: %s", made.Text)
	}
	o, err := h.store.Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r, ok := o.RobotByKey(secret.Hash(key)); !ok || r.CommandAnnotations {
		t.Errorf("the key opens %+v", r)
	}
	shown := h.want(h.do("olga", http.MethodGet, "/api/v1/robots/deploy-bot", ""), http.StatusOK)
	if strings.Contains(shown.Text, key) || strings.Contains(shown.Text, "hash") {
		t.Errorf("shown: %s", shown.Text)
	}
	if list := h.do("olga", http.MethodGet, "/api/v1/robots", ""); len(list.items()) != 1 {
		t.Errorf("list: %s", list.Text)
	}
	at := made.Header.Get("Location")
	h.want(h.do("max", http.MethodPut, at, `{"name":"x"}`), http.StatusForbidden)
	changed := h.want(h.do("ada", http.MethodPut, at, `{"name":"Marvin","room":"timeline","command_annotations":true}`), http.StatusOK)
	if changed.at("name") != "Marvin" || changed.at("username") != "deploy-bot" || changed.at("command_annotations") != true {
		t.Errorf("changed: %s", changed.Text)
	}
	h.want(h.do("ada", http.MethodPut, at, `{"name":"x"}`, "If-Match", made.Header.Get("ETag")), http.StatusPreconditionFailed)
	renewed := h.want(h.do("ada", http.MethodPost, at+"/key", ""), http.StatusCreated)
	if renewed.at("key") == key {
		t.Error("the key is the old one")
	}
	for _, bad := range []string{`{"name":"x","room":"nowhere"}`, `{"name":"x","username":"A B"}`, `{}`} {
		if got := h.do("ada", http.MethodPost, "/api/v1/robots", bad); got.Status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", bad, got.Status, got.Text)
		}
	}
	user := h.want(h.do("olga", http.MethodGet, "/api/v1/users/deploy-bot", ""), http.StatusOK)
	if user.at("robot") != true || user.at("reachable") != false {
		t.Errorf("its user: %s", user.Text)
	}
	if got := h.do("ada", http.MethodDelete, "/api/v1/users/deploy-bot", ""); got.Status != http.StatusConflict {
		t.Errorf("its user can be deleted: %d %s", got.Status, got.Text)
	}
	h.want(h.do("ada", http.MethodDelete, at, ""), http.StatusNoContent)
	h.want(h.do("ada", http.MethodGet, at, ""), http.StatusNotFound)
}
