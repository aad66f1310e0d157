package timeline

import (
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// The payloads of conversation. An entry about a message carries the message's
// number as Of and stands in the same room. Fields are stable in storage.
type (
	// Message is a line somebody wrote, as it was written. What became of it
	// since (edits, reactions, its end) is kept beside it: see store.Message.
	Message struct {
		Text  string `json:"text"`
		Files []File `json:"files,omitempty"`
		// Mentions are the people it names, resolved when it was written.
		Mentions []id.User `json:"mentions,omitempty"`
		// Everybody says that it called all who were there (@here).
		Everybody bool `json:"everybody,omitempty"`
		// Quote is the message it quotes; 0: none.
		Quote id.Seq `json:"quote,omitempty"`
		// Invocation is the command whose answer it is; "": none.
		Invocation id.Invocation `json:"invocation,omitempty"`
		// Doc is a structured answer (tables, fields, buttons); Text says all
		// of it in words.
		Doc *Document `json:"doc,omitempty"`
		// Scopes are those of the token it came by; none: all that its author may.
		// A command in it has no more rights than they give.
		Scopes []string `json:"scopes,omitempty" hidden:"true"`
		// ProvenAt is when its author had shown their second factor where they
		// wrote it; zero: not lately.
		ProvenAt time.Time `json:"proven_at,omitzero" hidden:"true"`

		// What became of it, filled in when it is read and never stored here.
		Deleted   bool          `json:"deleted,omitempty"`
		EditedAt  time.Time     `json:"edited_at,omitzero"`
		Edits     int           `json:"edits,omitempty"`
		Reactions []ReactionSum `json:"reactions,omitempty"`
		PinnedAt  time.Time     `json:"pinned_at,omitzero"`
		Replies   int           `json:"replies,omitempty"`
		RepliedAt time.Time     `json:"replied_at,omitzero"`
		Incidents []id.Incident `json:"incidents,omitempty"` // it was linked to
	}
	// ReactionSum is one sign under a message and who put it there.
	ReactionSum struct {
		Emoji string    `json:"emoji"`
		Users []id.User `json:"users"`
	}
	// File is an uploaded file as a message shows it.
	File struct {
		ID     id.File `json:"id"`
		Name   string  `json:"name"`
		Type   string  `json:"type"` // media type, as found in the content
		Size   int64   `json:"size"` // bytes
		Width  int     `json:"width,omitempty"`
		Height int     `json:"height,omitempty"` // of an image, in pixels
	}
	// Edit is the new text of a message.
	Edit struct {
		Of       id.Seq    `json:"of"`
		Text     string    `json:"text"`
		Mentions []id.User `json:"mentions,omitempty"`
		// Calls are those whom the message had not called before, and Here says
		// that it now calls all who are there: nobody is told of a message twice.
		Calls []id.User `json:"calls,omitempty"`
		Here  bool      `json:"here,omitempty"`
		Doc   *Document `json:"doc,omitempty"` // of a bot's living message
	}
	// Deletion ends a message.
	Deletion struct {
		Of     id.Seq `json:"of"`
		Author string `json:"author,omitempty"` // whose it was, when somebody else removed it
	}
	// Link makes a message part of an incident's record: the entry belongs to
	// that incident and to the organisation's timeline.
	Link struct {
		Of     id.Seq  `json:"of"`
		Text   string  `json:"text"`
		Author string  `json:"author"`
		Room   id.Room `json:"room,omitempty"` // where the message stands
	}
	// Pin keeps a message at hand in its room.
	Pin struct {
		Of   id.Seq `json:"of"`
		Text string `json:"text"` // its first words
	}
	// Unpin undoes it.
	Unpin Pin
	// Reaction is a sign under a message.
	Reaction struct {
		Of    id.Seq `json:"of"`
		Emoji string `json:"emoji"`
	}
	// ReactionGone undoes it.
	ReactionGone Reaction
	// RoomMade is a new room.
	RoomMade struct {
		Room id.Room `json:"room"`
		Name string  `json:"name"`
		What string  `json:"kind"` // public, private, group
	}
	// RoomChange says what changed: "name", "topic", "members", ...
	RoomChange struct {
		Room   id.Room  `json:"room"`
		Name   string   `json:"name"`
		Fields []string `json:"fields"`
		Topic  string   `json:"topic,omitempty"` // the new one
		Joined []string `json:"joined,omitempty"`
		Left   []string `json:"left,omitempty"`
	}
	// RoomEnd closes a room.
	RoomEnd RoomMade
)

// Document is a structured answer that every surface renders in its own way:
// blocks from top to bottom. Whoever cannot render it shows the message's text,
// which is complete by itself.
type Document struct {
	Status Status  `json:"status,omitempty"` // a colour and a word; "": none
	Head   string  `json:"head,omitempty"`   // what to say instead of the word
	Blocks []Block `json:"blocks,omitempty"`
	// Progress of long work, 0 to 100; nil: none.
	Progress *int `json:"progress,omitempty"`
}

// Status is how an answer turned out.
type Status string

// The statuses.
const (
	StatusGood    Status = "good"
	StatusWarning Status = "warning"
	StatusBad     Status = "bad"
	StatusRunning Status = "running"
	StatusWaiting Status = "waiting"
)

// Block is one piece of a document; exactly one member is set.
type Block struct {
	Text    string   `json:"text,omitempty"` // Markdown
	Code    *Code    `json:"code,omitempty"`
	Table   *Table   `json:"table,omitempty"`
	List    []string `json:"list,omitempty"` // Markdown
	Fields  []Field  `json:"fields,omitempty"`
	Image   *Image   `json:"image,omitempty"`
	File    *File    `json:"file,omitempty"`
	Actions []Action `json:"actions,omitempty"`
}

// Code is text in a fixed pitch.
type Code struct {
	Language string `json:"language,omitempty"`
	Text     string `json:"text"`
}

// Table has a head and rows of the same width.
type Table struct {
	Head []string   `json:"head"`
	Rows [][]string `json:"rows"`
}

// Field is a name and its value.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Image is a picture at an address of ours, or an uploaded file.
type Image struct {
	Address string `json:"address"`
	Alt     string `json:"alt"`
}

// Action is a button: pressing it gives Line as a command of whoever presses.
// The address of the button carries the token and not the line.
type Action struct {
	Label string    `json:"label"`
	Line  string    `json:"line,omitempty"`  // the command line, without sigil; or
	URL   string    `json:"url,omitempty"`   // a page of ours to open
	Token string    `json:"token,omitempty"` // unguessable, of this button of this message
	Style string    `json:"style,omitempty"` // "primary", "danger", or ""
	Used  string    `json:"used,omitempty"`  // who pressed it, once it works no more
	Until time.Time `json:"until,omitzero"`  // when a line works no more, whoever pressed it
}

// The payloads of commands. ID is the invocation; Line is as it was understood,
// with secrets masked.
type (
	// Asked is a command that was decided.
	Asked struct {
		ID      id.Invocation `json:"id"`
		Command string        `json:"command"` // "deploy run"
		Line    string        `json:"line"`
		State   string        `json:"state"`          // queued, confirming, awaiting_approval, denied
		Rule    string        `json:"rule,omitempty"` // that allowed or refused it
		Why     string        `json:"why,omitempty"`
		Short   string        `json:"short,omitempty"` // what to type to approve: "7kq2"
	}
	// Approval is a yes from somebody with the right.
	Approval struct {
		ID      id.Invocation `json:"id"`
		Command string        `json:"command"`
		Line    string        `json:"line"`
		By      id.User       `json:"by"`
		Got     int           `json:"got"` // approvals so far
		Of      int           `json:"of"`  // needed
	}
	// Rejection is a no, or a request that nobody answered in time.
	Rejection struct {
		ID      id.Invocation `json:"id"`
		Command string        `json:"command"`
		Line    string        `json:"line"`
		Reason  string        `json:"reason,omitempty"`
		Expired bool          `json:"expired,omitempty"`
	}
	// Finished is how a command ended.
	Finished struct {
		ID      id.Invocation `json:"id"`
		Command string        `json:"command"`
		Line    string        `json:"line"`
		State   string        `json:"state"` // succeeded, failed, cancelled, timed_out, unknown
		For     int64         `json:"for_ms"`
		Why     string        `json:"why,omitempty"` // the last words of a failure
		Rule    string        `json:"rule,omitempty"`
	}
	// Lock is a thing that somebody keeps others from.
	Lock struct {
		Name   string        `json:"name"` // "deploy/shop/prod"
		Reason string        `json:"reason,omitempty"`
		Until  time.Time     `json:"until,omitzero"`
		ID     id.Invocation `json:"id,omitempty"` // the run it is for; "" for one that stays
	}
	// Unlock frees it again.
	Unlock struct {
		Name  string `json:"name"`
		Owner string `json:"owner,omitempty"` // whose it was, when somebody else released it
	}
)

// Kind implements Payload.
func (Message) Kind() Kind      { return MessagePosted }
func (Edit) Kind() Kind         { return MessageEdited }
func (Deletion) Kind() Kind     { return MessageDeleted }
func (Link) Kind() Kind         { return MessageLinked }
func (Pin) Kind() Kind          { return MessagePinned }
func (Unpin) Kind() Kind        { return MessageUnpinned }
func (Reaction) Kind() Kind     { return ReactionAdded }
func (ReactionGone) Kind() Kind { return ReactionRemoved }
func (RoomMade) Kind() Kind     { return RoomOpened }
func (RoomChange) Kind() Kind   { return RoomChanged }
func (RoomEnd) Kind() Kind      { return RoomClosed }
func (Asked) Kind() Kind        { return CommandAsked }
func (Approval) Kind() Kind     { return CommandApproved }
func (Rejection) Kind() Kind    { return CommandRejected }
func (Finished) Kind() Kind     { return CommandFinished }
func (Lock) Kind() Kind         { return LockTaken }
func (Unlock) Kind() Kind       { return LockReleased }
