package view

type format struct{ sign, what string }

// formats are what the help of the composer shows; package markdown knows more.
func formats() []format {
	return []format{
		{"**bold**", "bold"}, {"*italic*", "italic"}, {"~~gone~~", "gone"}, {"`code`", "code"}, {"```", "block"},
		{"> text", "quote"}, {"- text", "list"}, {"[text](address)", "link"},
		{"@name", "person"}, {"@@team", "team"}, {"@oncall", "oncall"}, {"@here", "here"}, {"#42", "incident"}, {"#room", "room"}, {":tada:", "emoji"},
	}
}

// quickEmoji are offered where there is no picker; emoji.js offers the same first.
func quickEmoji() []string {
	return []string{"👍", "👀", "✅", "🎉", "❤️", "😂", "🙏", "🔥"}
}
