package hubottest

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/chat/victorops"
	"github.com/watchroom/watchroom/internal/dispatch"
)

func TestManualOfficial(t *testing.T) {
	for dir, args := range map[string]string{
		"off2":  "node_modules/coffee-script/bin/coffee node_modules/hubot/bin/hubot --adapter victorops",
		"off9":  "-r coffeescript/register node_modules/hubot/bin/hubot.js --adapter hubot-victorops",
		"off14": "node_modules/hubot/bin/hubot -f adapters/victorops.mjs",
	} {
		t.Run(dir, func(t *testing.T) {
			h := newHouse(t)
			cmd := exec.Command("sh", append([]string{"start.sh", "node"}, strings.Fields(args+" -d")...)...)
			cmd.Dir = "/tmp/hubot/" + dir
			cmd.Env = append(os.Environ(), "HUBOT_VICTOROPS_URL="+strings.Replace(h.web.URL, "http", "ws", 1)+victorops.Path, "HUBOT_VICTOROPS_KEY="+h.key)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait(); if t.Failed() { t.Log(out.String()) } }()
			h.until("connected", func() bool { return len(h.chat.Connections()) == 1 })
			<-time.After(3 * time.Second)
			h.kim(dispatch.Line{Text: "hubot echo héllo 🚀 \"q\" & <b>"})
			h.answers("@kim: héllo 🚀 \"q\" & <b>")
			t.Log(h.answersTo("@hubot help"))
			if _, err := h.dispatch.Accept(t.Context(), alert.Alert{Type: alert.Critical, EntityID: "disk/db07", Title: "disk", Message: "97%\n\"used\"", Tool: "probe", RoutingKey: "database", Raw: "{}"}); err != nil {
				t.Fatal(err)
			}
			h.answers("alert 1 97%\n\"used\"", "state 1 UNACKED")
			h.stop()
			h.kim(dispatch.Line{Text: "hubot echo away"})
			h.start()
			h.answers("@kim: away")
			<-time.After(25 * time.Second) // pings
			if c := h.chat.Connections(); len(c) != 1 || time.Since(c[h.robot.ID].Since) < 20*time.Second {
				t.Errorf("connections %v", c)
			}
		})
	}
}
