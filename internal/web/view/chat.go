package view

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/timeline"
)

// cw reads the catalogue's "chat_web" area.
func cw(key string, args ...any) string { return phrase.T("chat_web."+key, args...) }

// cn reads a counted text of the catalogue's "chat_web" area.
func cn(key string, count int, args ...any) string { return phrase.N("chat_web."+key, count, args...) }

// Message is what somebody said and what has become of it since.
type Message struct {
	HTML      string // the text as it is shown, made safe by whoever made it
	Speaker   string // "", or what speaks: "bot", "robot"
	Picture   string // of the bot; "": ours
	Room      id.Room
	Thread    id.Seq // the message in whose thread it stands; 0: none
	Files     []timeline.File
	Doc       *timeline.Document
	Quote     *Quote
	Mentions  []id.User
	Everybody bool
	Deleted   bool
	EditedAt  time.Time
	Reactions []Reaction
	Pinned    bool
	Replies   int
	RepliedAt time.Time
	Incidents []id.Incident // it was linked to
	Fixed     bool          // nothing can be done with it, as with the notes of old
}

// Quote is the message that another one quotes.
type Quote struct {
	Seq    id.Seq
	Author string
	Text   string
}

// Reaction is one sign under a message.
type Reaction struct {
	Emoji string
	Users []id.User
	Names []string
}

// Rooms is the list of conversations in the left pane.
type Rooms struct {
	Main    RoomLink
	Joined  []RoomLink // public and private rooms, by name
	Direct  []RoomLink // groups and direct rooms, the latest first
	CanTalk bool
}

// RoomLink is one conversation in a list.
type RoomLink struct {
	ID       id.Room
	Kind     string // "main", "public", "private", "group", "direct"
	Name     string // without its sign
	Href     string
	Topic    string
	Members  int
	Unread   int
	Mentions int
	Current  bool
	Joined   bool
	Closed   bool
	With     *PersonRow // whom a direct room is with; nil for the bot and others
	Bot      bool
	Picture  string // of the bot; "": ours
}

// RoomHead is the room that a timeline shows.
type RoomHead struct {
	RoomLink
	Pins     int
	Watching []PersonRow // a few of the members, for the head
	CanWrite bool
	CanJoin  bool
	CanEdit  bool // its name, topic and members
}

// Panel is what stands beside a timeline: a thread, or what there is to know
// about a room.
type Panel struct {
	Kind   string // "thread", "about", "pins", "files"
	Thread *Thread
	About  *About
}

// Thread is the replies to one message.
type Thread struct {
	Root     Entry
	Room     RoomHead
	Timeline Timeline // of the replies alone
}

// About is what there is to know about a room.
type About struct {
	Room    RoomHead
	People  []PersonRow
	Pins    []Entry
	Files   []RoomFile
	Add     []Option // who could be let in
	MayBar  bool     // members can be put out
	Open    string   // the tab that is open: "about", "pins", "files"
	Viewer  id.User
	Sigil   string
	Problem string
}

// RoomFile is a file that somebody has put into a room.
type RoomFile struct {
	timeline.File
	Seq id.Seq // of its message
	By  string
	At  time.Time
}

// RoomBrowser is the page of all rooms that somebody could read.
type RoomBrowser struct {
	Page  Page
	Text  string
	Rooms []RoomLink
	Write bool // rooms can be made
}

// RoomForm is the page on which a room is made.
type RoomForm struct {
	Page               Page
	Name, Topic, Kind  string
	People             []Option
	Errors             map[string]string
	Problem            string
	Direct             bool // a conversation instead of a room
	DirectTo, GroupMax int
}

// MessagePage is one message by itself: its history, and what can be done with
// it where no script runs.
type MessagePage struct {
	Page    Page
	Entry   Entry
	Room    RoomLink
	Source  string // as it was written
	History []Version
	Mine    bool
	MayAct  bool
}

// Version is one wording of a message, the newest first.
type Version struct {
	At   time.Time
	HTML string
}

// Search is the page of what was found.
type Search struct {
	Page    Page
	Text    string
	Room    []Option
	Person  []Option
	Kind    []Option
	From    string // dates, as in a date field
	To      string
	Asked   bool
	Hits    []Hit
	Older   string // address of the next part; "" at the end
	Problem string
}

// Hit is one entry that was found.
type Hit struct {
	Entry Entry
	Room  RoomLink
	Href  string
	Lines []Found // its words, with what was looked for marked
}

// lead says where the link of a hit leads.
func (h Hit) lead() string {
	if h.Entry.Chat {
		return cw("search.show_at", h.Entry.Actor)
	}
	return cw("search.show_in", h.Room.called())
}

// Found is a run of text; On says that it is what was looked for.
type Found struct {
	Text string
	On   bool
}

// Composing is the box in which a line is written.
type Composing struct {
	ID          string // of the box; also the name of its draft
	Action      string
	Room        string // as in addresses; see RoomPath
	Thread      id.Seq
	Label       string
	Incident    id.Incident
	Attachments bool
}

// RoomPath is the part of an address that names a room: "main" is the first one.
func RoomPath(r id.Room) string {
	if r == "" {
		return "main"
	}
	return url.PathEscape(string(r))
}

// Marks cuts text around the words that were looked for, which begin words of
// it; only what is near the first of them is kept.
func Marks(text string, words []string, around int) []Found {
	low := strings.ToLower(text)
	if len(low) != len(text) { // some letters change their length; then case counts
		low = text
	}
	var at [][2]int
	for i := range low {
		if i > 0 && letter(low[:i]) {
			continue
		}
		for _, w := range words {
			if w != "" && strings.HasPrefix(low[i:], w) {
				at = append(at, [2]int{i, i + len(w)})
				break
			}
		}
	}
	from, to := 0, len(text)
	if len(at) > 0 {
		from = max(0, at[0][0]-around)
		to = min(len(text), at[0][1]+3*around)
	} else {
		to = min(to, 4*around)
	}
	for from > 0 && text[from]&0xC0 == 0x80 {
		from--
	}
	for to < len(text) && text[to]&0xC0 == 0x80 {
		to++
	}
	var out []Found
	add := func(s string, on bool) {
		if s != "" {
			out = append(out, Found{s, on})
		}
	}
	if from > 0 {
		add("…", false)
	}
	last := from
	for _, m := range at {
		if m[0] < last || m[1] > to {
			continue
		}
		add(text[last:m[0]], false)
		add(text[m[0]:m[1]], true)
		last = m[1]
	}
	add(text[last:to], false)
	if to < len(text) {
		add("…", false)
	}
	return out
}

// letter reports whether text ends within a word.
func letter(text string) bool {
	r := []rune(text[max(0, len(text)-4):])
	last := r[len(r)-1]
	return last == '_' || last >= '0' && last <= '9' || last >= 'a' && last <= 'z' || last >= 'A' && last <= 'Z' || last > 0x7f && last != '\u2026' && last != '\u201c'
}

// continues reports whether b goes on where a stopped, so that its author need
// not be named again.
func continues(a, b Entry, v Viewer) bool {
	return a.Msg != nil && b.Msg != nil && !a.Msg.Deleted && a.ActorID == b.ActorID && a.Actor == b.Actor && a.Incident == b.Incident &&
		b.Msg.Quote == nil && b.At.Sub(a.At) < continueFor && dayOf(a.At, v) == dayOf(b.At, v)
}

// continueFor is how long somebody who goes on speaking is not named again;
// timeline.js says the same of what arrives later.
const continueFor = 5 * time.Minute

func users(list []id.User) string {
	out := make([]string, len(list))
	for i, u := range list {
		out[i] = string(u)
	}
	return strings.Join(out, " ")
}

func roomIcon(kind string) string {
	switch kind {
	case "main":
		return "timeline"
	case "private":
		return "lock"
	case "group":
		return "people"
	case "direct":
		return "person"
	}
	return "hash"
}

// fileKind is how a file is shown: "image", "text", or "" for a line that
// offers it.
func fileKind(f timeline.File) string {
	kind, _, _ := strings.Cut(f.Type, ";")
	switch {
	case slices.Contains([]string{"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"}, kind):
		return "image"
	case strings.HasPrefix(kind, "text/") && kind != "text/html", kind == "application/json":
		return "text"
	}
	return ""
}

// fileHref is where a file is read.
func fileHref(f timeline.File) string { return "/files/" + url.PathEscape(string(f.ID)) }

// pictureHref is a picture as a message shows it: a smaller one where that is
// enough, and nothing moves in it.
func pictureHref(f timeline.File) string {
	const enough = 480
	if f.Type != "image/gif" && f.Type != "image/avif" && (f.Width > enough || f.Height > enough) {
		return fileHref(f) + "/preview"
	}
	return fileHref(f)
}

// pictureSize is the width and height at which a picture is shown, so that the
// page does not move when it arrives.
func pictureSize(f timeline.File) (width, height int) {
	const most, tall = 420, 320
	width, height = f.Width, f.Height
	if width <= 0 || height <= 0 {
		return 0, 0
	}
	if width > most {
		width, height = most, max(1, height*most/width)
	}
	if height > tall {
		width, height = max(1, width*tall/height), tall
	}
	return width, height
}

// size is a number of bytes as people say it.
func size(n int64) string {
	switch {
	case n < 1024:
		return cw("bytes", n)
	case n < 1024*1024:
		return cw("kibibytes", float64(n)/1024)
	}
	return cw("mebibytes", float64(n)/(1024*1024))
}

func statusTone(s timeline.Status) string {
	switch s {
	case timeline.StatusGood:
		return "ok"
	case timeline.StatusWarning, timeline.StatusWaiting:
		return "warning"
	case timeline.StatusBad:
		return "critical"
	case timeline.StatusRunning:
		return "info"
	}
	return "muted"
}

func statusIcon(s timeline.Status) string {
	switch s {
	case timeline.StatusGood:
		return "ok"
	case timeline.StatusWarning:
		return "warning"
	case timeline.StatusBad:
		return "critical"
	case timeline.StatusRunning:
		return "rotation"
	case timeline.StatusWaiting:
		return "clock"
	}
	return "info"
}

func actionLook(style string) string {
	if style == "primary" || style == "danger" {
		return style
	}
	return ""
}

// localPage reports whether an address is a page of ours; others are not opened
// by a button.
func localPage(address string) bool {
	return strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//") && !strings.ContainsAny(address, "\\\r\n\t")
}

// chatTexts are what the chat's scripts say.
func chatTexts(out map[string]string) {
	for _, key := range []string{
		"script.typing.one", "script.typing.two", "script.typing.many", "script.deleted", "script.undo", "script.copied", "script.pinned", "script.unpinned",
		"script.linked", "script.mentioned", "script.direct", "script.upload.failed", "script.upload.large", "script.upload.wait", "script.upload.done",
		"script.upload.remove", "script.upload.cancel", "script.candidates", "script.suggestions", "script.nothing", "script.delete.ask", "script.joined",
		"script.react", "script.new", "script.unread", "script.mentions", "script.preview.more", "script.preview.failed", "script.editing", "script.deleted.long",
		"script.first_unread.one", "script.first_unread.many", "script.kept",
		"presence.online", "presence.away", "presence.offline", "copy_code",
	} {
		out["chat."+key] = cw(key)
	}
}

func badgeCount(r RoomLink) string {
	if r.Unread > 99 {
		return "99+"
	}
	return itoa(r.Unread)
}

func badgeWords(r RoomLink) string {
	if r.Mentions > 0 {
		return cn("mentions", r.Mentions)
	}
	return cw("unread")
}

func presenceWord(state string) string {
	if state == "" {
		state = "offline"
	}
	return cw("presence." + state)
}

func leaveQuestion(r RoomHead) string {
	if r.Kind == "public" {
		return ""
	}
	return cw("leave.ask", r.called())
}

// called is a room's name as people say it.
func (r RoomLink) called() string {
	if r.Kind == "public" || r.Kind == "private" {
		return "#" + r.Name
	}
	return r.Name
}

// unthreaded is the first message of a thread as it stands above its replies.
func unthreaded(e Entry) Entry {
	if e.Msg != nil {
		m := *e.Msg
		m.Replies = 0
		e.Msg = &m
	}
	return e
}

// said is a message as it is shown.
func said(e timeline.Entry, p timeline.Message, names Names) *Message {
	m := &Message{
		Room: e.Room, Thread: e.Thread, Files: p.Files, Doc: p.Doc, Mentions: p.Mentions, Everybody: p.Everybody, Deleted: p.Deleted,
		EditedAt: p.EditedAt, Pinned: !p.PinnedAt.IsZero(), Replies: p.Replies, RepliedAt: p.RepliedAt, Incidents: p.Incidents,
	}
	switch e.Actor.Origin {
	case timeline.Bot, timeline.Robot:
		m.Speaker = string(e.Actor.Origin)
		m.Picture = names.Picture
	}
	if p.Text != "" {
		m.HTML = names.words(p.Text)
	}
	if p.Quote != 0 {
		m.Quote = &Quote{Seq: p.Quote}
	}
	for _, r := range p.Reactions {
		sum := Reaction{Emoji: r.Emoji, Users: r.Users}
		for _, u := range r.Users {
			if names.User != nil {
				sum.Names = append(sum.Names, names.User(u))
			}
		}
		m.Reactions = append(m.Reactions, sum)
	}
	return m
}

// stampWords is an instant as a title says it.
func stampWords(at time.Time, v Viewer) string {
	return at.In(v.zone()).Format("Mon 2 Jan 2006 15:04:05 MST")
}
