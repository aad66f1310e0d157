package victorops

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// The messages, as the protocol names them.
const (
	robotLogin  = "ROBOT_LOGIN_REQUEST_MESSAGE"
	userLogin   = "LOGIN_REQUEST_MESSAGE"
	loginReply  = "LOGIN_REPLY_MESSAGE"
	chatAction  = "CHAT_ACTION_MESSAGE"
	chatNotify  = "CHAT_NOTIFY_MESSAGE"
	stateNotify = "STATE_NOTIFY_MESSAGE"
	alertNotify = "TIMELINE_LIST_REPLY_MESSAGE"
	phaseNotify = "ENTITY_STATE_NOTIFY_MESSAGE"
	ping        = "PING"
	pong        = "PONG"
)

// everywhere is the only room that robots know: the one they are bound to.
const everywhere = "*"

// The answers to a login. Clients compare strings: the number 200 is a refusal.
const (
	statusOK      = "200"
	statusRefused = "401"
)

// login is the payload of a login; the rest of it says nothing.
type login struct {
	Name   string `json:"NAME"`
	Key    string `json:"KEY"`
	Device string `json:"DEVICE_NAME"`
}

// reply is the payload of an answer.
type reply struct {
	Status      string `json:"STATUS"`
	Description string `json:"DESCRIPTION"`
}

// said is the payload of what a robot says.
type said struct {
	Chat struct {
		Text string `json:"TEXT"`
	} `json:"CHAT"`
}

type sequencing struct {
	Sequence    int64 `json:"SEQUENCE"`
	ServiceTime int64 `json:"SERVICE_TIME"`
}

// chat is a line of the room.
type chat struct {
	User       string     `json:"USER_ID"`
	Text       string     `json:"TEXT"`
	Robot      bool       `json:"IS_ROBOT"`
	OnCall     bool       `json:"IS_ONCALL"`
	Room       string     `json:"ROOM_ID"`
	Timestamp  int64      `json:"TIMESTAMP"`
	Sequencing sequencing `json:"SEQUENCING"`
	Tags       []string   `json:"TAGS"`
}

// chatOf is the message about a line that somebody said. Its transaction is
// the same whenever it is sent.
func chatOf(o *org.Org, e timeline.Entry) outgoing {
	line := chat{
		User: nameOf(o, e.Actor), Text: textOf(e),
		Robot:  e.Actor.Origin == timeline.Robot || e.Actor.Origin == timeline.Bot,
		OnCall: onDuty(o, e.Actor.User, e.At), Room: everywhere, Timestamp: e.At.UnixMilli(),
		Sequencing: sequencing{int64(e.Seq), e.At.UnixMilli()}, Tags: []string{"typechatnotify"},
	}
	return outgoing{chatNotify, namedUUID(o, "entry", int64(e.Seq)), struct {
		Chat chat `json:"CHAT"`
	}{line}}
}

// textOf is what was said; of a line that is only files, their names. Said
// with an incident it ends in the incident's number, which scripts look for.
func textOf(e timeline.Entry) string {
	m, _ := e.Payload.(timeline.Message)
	text := m.Text
	if text == "" {
		names := make([]string, len(m.Files))
		for i, f := range m.Files {
			names[i] = f.Name
		}
		text = strings.Join(names, ", ")
	}
	if e.Incident != 0 {
		text += " #" + strconv.FormatInt(int64(e.Incident), 10)
	}
	return text
}

// nameOf is what robots mention somebody by.
func nameOf(o *org.Org, a timeline.Actor) string {
	if u, ok := o.Users[a.User]; ok {
		return u.Username
	}
	return cmp.Or(a.Name, "watchroom")
}

func onDuty(o *org.Org, u id.User, at time.Time) bool {
	if u == "" {
		return false
	}
	for r := range o.Rotations {
		if slices.ContainsFunc(o.OnCall(r, at), func(s oncall.Shift) bool { return s.User == u }) {
			return true
		}
	}
	return false
}

// onCall is one person on duty.
type onCall struct {
	User   string `json:"USER_ID"`
	Team   string `json:"TEAM"`
	Policy string `json:"POLICY"`
	Since  int64  `json:"SINCE"`
}

func onCallNow(o *org.Org, at time.Time) []onCall {
	list := []onCall{}
	for _, r := range org.Sorted(o.Rotations, func(r oncall.Rotation) string { return r.Name }) {
		team := o.Teams[r.Team].Slug
		for _, s := range o.OnCall(r.ID, at) {
			u, ok := o.Users[s.User]
			if !ok {
				continue
			}
			policy := r.Name
			if team != "" {
				policy = team + ": " + r.Name
			}
			list = append(list, onCall{u.Username, team, policy, s.Start.UnixMilli()})
		}
	}
	return list
}

// status is one person who is here.
type status struct {
	User   string `json:"USER_ID"`
	Status string `json:"STATUS"`
	Last   int64  `json:"LAST_ACTIVITY"`
}

// statusNow says who is here, each person once however many pages are open.
func statusNow(o *org.Org, here []store.Presence) []status {
	found := map[id.User]status{}
	for _, p := range here {
		u, ok := o.Users[p.Person]
		if !ok || u.Robot {
			continue
		}
		is, known := found[u.ID]
		if !known {
			is = status{User: u.Username, Status: "AWAY"}
		}
		if p.Active {
			is.Status = "ONLINE"
		}
		is.Last = max(is.Last, p.Until.Add(-store.PresenceLife).UnixMilli())
		found[u.ID] = is
	}
	list := make([]status, 0, len(found))
	for _, is := range found {
		list = append(list, is)
	}
	slices.SortFunc(list, func(a, b status) int { return cmp.Compare(a.User, b.User) })
	return list
}

// stateOf says who is on call and who is here. Half of the clients wait for
// one of the lists, half for the other, so both are always there.
func stateOf(duty []onCall, here []status) outgoing {
	return outgoing{stateNotify, newUUID(), struct {
		Here []status `json:"USER_STATUS_LIST"`
		Duty []onCall `json:"ONCALL_LIST"`
		Room string   `json:"ROOM_ID"`
	}{here, duty, everywhere}}
}

// newUUID is a random UUID.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return uuid(b, 4)
}

// namedUUID is the UUID of a thing of ours that has a number.
func namedUUID(o *org.Org, kind string, n int64) string {
	sum := sha256.Sum256([]byte(o.Settings.Name + "\x00" + kind + "\x00" + strconv.FormatInt(n, 10)))
	return uuid([16]byte(sum[:16]), 8)
}

func uuid(b [16]byte, version byte) string {
	b[6], b[8] = b[6]&0x0f|version<<4, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
