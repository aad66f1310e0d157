package view

import (
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/timeline"
)

// What is said in the invented organisation.

func sampleRooms() Rooms {
	p := samplePeople().All
	ana, bo := p[0], p[1]
	ana.Zone, ana.OnCall = "America/New_York", true
	return Rooms{
		CanTalk: true,
		Main:    RoomLink{Kind: "main", Name: "Timeline", Href: "/", Unread: 3},
		Joined: []RoomLink{
			{ID: "r1", Kind: "public", Name: "ops", Href: "/rooms/ops", Current: true, Joined: true},
			{ID: "r2", Kind: "private", Name: "post-mortems", Href: "/rooms/post-mortems", Joined: true},
			{ID: "r3", Kind: "public", Name: "shop-migration-to-the-new-data-centre", Href: "/rooms/shop", Unread: 12, Mentions: 2},
		},
		Direct: []RoomLink{
			{ID: "dm-1", Kind: "direct", Name: "Ana Ruiz", Href: "/rooms/@ana", With: &ana, Unread: 1, Mentions: 1},
			{ID: "dm-2", Kind: "direct", Name: "Bo Lindqvist", Href: "/rooms/@bo", With: &bo},
			{ID: "dm-3", Kind: "direct", Name: "victor", Href: "/rooms/@victor", Bot: true},
			{ID: "g-1", Kind: "group", Name: "Ana Ruiz, Chidi Okafor", Href: "/rooms/g-1"},
		},
	}
}

func sampleChat() []Entry {
	percent := 40
	people := map[string]timeline.Actor{
		"ana":    {User: "u-ana", Name: "Ana Ruiz", Origin: timeline.Browser},
		"bo":     {User: "u-bo", Name: "Bo Lindqvist", Origin: timeline.Browser},
		"kim":    {User: "u-kim", Name: "Kim Sørensen", Origin: timeline.Browser},
		"victor": {Name: "victor", Origin: timeline.Bot},
		"hubot":  {Name: "hubot", Origin: timeline.Robot, User: "u-hubot"},
	}
	lines := []struct {
		who  string
		said timeline.Message
	}{
		{"ana", timeline.Message{Text: "Morning! The migration window is **tonight, 22:00–23:30 UTC**. Checklist:\n\n- [x] snapshot of db01\n- [ ] DNS lowered to 60 s\n- [ ] status page draft", PinnedAt: ago(time.Hour), Reactions: []timeline.ReactionSum{{Emoji: "👍", Users: []id.User{"u-kim", "u-bo"}}, {Emoji: "👀", Users: []id.User{"u-bo"}}}}},
		{"ana", timeline.Message{Text: "DNS is mine."}},
		{"bo", timeline.Message{Text: "I see the same errors as in #142, only on `edge03`:", Files: []timeline.File{{ID: "f2", Name: "edge03-error.log", Type: "text/plain; charset=utf-8", Size: 48211}}, Replies: 3, RepliedAt: ago(20 * time.Minute)}},
		{"bo", timeline.Message{Text: "```go\nfor _, shift := range o.OnCall(r.ID, now) {\n\tonCall[shift.User] = true\n}\n```", EditedAt: ago(10 * time.Minute), Edits: 1}},
		{"kim", timeline.Message{Text: "@ana can you look? I have to leave at 18:00.", Mentions: []id.User{"u-ana"}, Quote: 3}},
		{"ana", timeline.Message{Text: "@kim sure, on it. Numbers so far:\n\n| host | p50 | p99 |\n|---|--:|--:|\n| edge01 | 12 ms | 80 ms |\n| edge03 | 14 ms | 2.1 s |", Mentions: []id.User{"u-kim"}}},
		{"kim", timeline.Message{Deleted: true}},
		{"victor", timeline.Message{Text: "Deploying shop to production", Doc: &timeline.Document{Status: timeline.StatusRunning, Progress: &percent, Blocks: []timeline.Block{
			{Text: "**deploy run shop** to production, as asked by Kim"},
			{Fields: []timeline.Field{{Name: "Commit", Value: "9f31c02 Recommender off by default"}, {Name: "Lock", Value: "deploy/shop/prod"}}},
			{Actions: []timeline.Action{{Label: "Cancel", Token: "x1", Style: "danger"}, {Label: "Open the job", URL: "/jobs/812"}}},
		}}}},
		{"victor", timeline.Message{Text: "Who is on call", Doc: &timeline.Document{Status: timeline.StatusGood, Blocks: []timeline.Block{
			{Table: &timeline.Table{Head: []string{"Team", "Person", "Until"}, Rows: [][]string{{"Storage", "Ana Ruiz", "18:00"}, {"Network", "nobody", "–"}}}},
			{List: []string{"Take over with `take storage`", "See the [calendar](/oncall)"}},
			{Code: &timeline.Code{Language: "sh", Text: "uptime\n 17:02 up 41 days, load 0.31"}},
		}}}},
		{"hubot", timeline.Message{Text: "ship it :shipit: https://example.org/squirrel"}},
		{"bo", timeline.Message{Text: "🎉🎉", Incidents: []id.Incident{142}}},
	}
	var out []Entry
	for i, l := range lines {
		e := Describe(timeline.Entry{Seq: id.Seq(i + 1), At: ago(time.Duration(100-i*3) * time.Minute / 2), Kind: timeline.MessagePosted, Actor: people[l.who], Person: people[l.who].User, Room: "r1", Payload: l.said}, sampleNames())
		if e.Msg.Quote != nil {
			e.Msg.Quote = &Quote{Seq: 3, Author: "Bo Lindqvist", Text: "I see the same errors as in #142, only on edge03:"}
		}
		out = append(out, e)
	}
	return out
}

func sampleHead() *RoomHead {
	return &RoomHead{
		RoomLink: RoomLink{ID: "r1", Kind: "public", Name: "ops", Href: "/rooms/ops", Topic: "What runs, what breaks, and who looks at it. Runbooks are pinned.", Members: 7, Joined: true},
		Pins:     2, Watching: samplePeople().All[:3], CanWrite: true, CanEdit: true,
	}
}

func sampleChatRoom() Home {
	h := Home{Page: samplePage("#ops", "chat"), Rooms: sampleRooms(), People: samplePeople(), Incidents: sampleIncidents()}
	h.Page.Pane = "timeline"
	h.Timeline = Timeline{Entries: sampleChat(), Head: 11, CanPost: true, Room: sampleHead(), Read: 9, Files: true}
	return h
}

func sampleThread() Home {
	h := sampleChatRoom()
	tl := Timeline{Entries: sampleChat()[4:6], Head: 11, CanPost: true, Room: sampleHead(), Thread: 3, Files: true}
	h.Panel = &Panel{Kind: "thread", Thread: &Thread{Root: sampleChat()[2], Room: *sampleHead(), Timeline: tl}}
	return h
}

func sampleAbout(open string) Home {
	h := sampleChatRoom()
	h.Panel = &Panel{Kind: open, About: &About{
		Room: *sampleHead(), People: samplePeople().All, Pins: sampleChat()[:1], Open: open, MayBar: true,
		Files: []RoomFile{{File: timeline.File{ID: "f2", Name: "edge03-error.log", Type: "text/plain", Size: 48211}, Seq: 3, By: "Bo Lindqvist", At: ago(time.Hour)}},
		Add:   []Option{{Value: "u-farid", Label: "Farid"}},
	}}
	return h
}

func sampleSearch() Search {
	var hits []Hit
	for _, e := range sampleChat()[:3] {
		hits = append(hits, Hit{Entry: e, Room: sampleHead().RoomLink, Href: "/rooms/ops?at=x", Lines: Marks("The migration window is tonight, 22:00–23:30 UTC", []string{"migr", "tonight"}, 40)})
	}
	return Search{
		Page: samplePage("Search", ""), Text: "migr tonight", Asked: true, Hits: hits, Older: "/search?before=1",
		Room: []Option{{Value: "main", Label: "Timeline"}, {Value: "r1", Label: "#ops"}}, Person: sampleResponders().People, Kind: []Option{{Value: "chat", Label: "Chat"}},
	}
}

func sampleBrowser() RoomBrowser {
	rooms := append([]RoomLink{}, sampleRooms().Joined...)
	rooms = append(rooms, RoomLink{ID: "r9", Kind: "public", Name: "old-project", Href: "/rooms/old", Topic: "Done in 2025.", Members: 4, Closed: true})
	return RoomBrowser{Page: samplePage("Rooms", ""), Rooms: rooms, Write: true}
}

func sampleMessage() MessagePage {
	return MessagePage{
		Page: samplePage("Message", ""), Entry: sampleChat()[3], Room: sampleHead().RoomLink, Source: "for …", Mine: true, MayAct: true,
		History: []Version{{At: ago(time.Hour), HTML: "<p>what it said</p>"}},
	}
}
