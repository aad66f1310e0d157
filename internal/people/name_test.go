package people

import "testing"

func TestLook(t *testing.T) {
	for _, c := range []struct {
		why, a, b string
		same      bool
	}{
		{"case", "Kim Lee", "KIM LEE", true},
		{"spaces", "Kim Lee", "  Kim   Lee ", true},
		{"what is invisible", "Kim Lee", "Kim\u200b Lee\u00ad", true},
		{"the username and the name", "kim.lee", "Kim Lee", true},
		{"width", "Kim", "Ｋｉｍ", true},
		{"letters of another alphabet", "Kim", "Кim", true},
		{"digits for letters", "Paul", "Pau1", true},
		{"signs", "Kim!", "Kim", true},
		{"another person", "Kim Lee", "Kim Park", false},
		{"a letter of its own", "José", "Jose", false},
		{"two that only look alike in capitals", "Ali", "All", false},
		{"signs alone", "☂", "☀", false},
		{"another alphabet all through", "Иван", "Олег", false},
	} {
		if got := Look(c.a) == Look(c.b); got != c.same {
			t.Errorf("%s: Look(%q) == Look(%q) is %t (%q, %q), want %t", c.why, c.a, c.b, got, Look(c.a), Look(c.b), c.same)
		}
	}
}

func TestBlank(t *testing.T) {
	for _, text := range []string{"", " \n\t", "\u200b\u00ad", "\u3164", "\u2800", "\ufe0f", "\u202e"} {
		if !Blank(text) {
			t.Errorf("Blank(%q) = false", text)
		}
	}
	for _, text := range []string{"a", "👍", "👨\u200d👩\u200d👧", ".", "\u200b·"} {
		if Blank(text) {
			t.Errorf("Blank(%q) = true", text)
		}
	}
}

func FuzzLook(f *testing.F) {
	for _, seed := range []string{"Kim Lee", "Кim", "\u200b", "☂", "ǅ", "İ", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if look := Look(name); !Blank(name) && Look(look) != look {
			t.Errorf("Look(%q) = %q, and the look of that is %q", name, look, Look(look))
		}
	})
}
