package script

import (
	"encoding/base64"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/timeline"
)

// FuzzLines feeds what a hostile script could print as JSON lines.
func FuzzLines(f *testing.F) {
	f.Add([]byte(`{"type":"document","document":{"blocks":[{"table":{"head":["a"],"rows":[[]]}}],"progress":-4}}` + "\n"))
	f.Add([]byte(`{"type":"progress","percent":1e308}` + "\n{}\nnull\n"))
	f.Add([]byte(`{"type":"file","name":"../..","base64":"%%"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		out := newRecorder()
		out.heard = make(chan struct{}, len(text)+1)
		l := newTalk(secret.NewMasker([]string{"hunter2"}), out, nil)
		if strings.Contains(string(text), "path") {
			return // reading files is tried elsewhere
		}
		l.write(text)
		a := l.close()
		if all := a.text + words(a.doc) + out.everything(); strings.Contains(all, "hunter2") {
			t.Errorf("the secret came through: %q", all)
		}
		for _, d := range append(out.docs, a.doc) {
			if d == nil {
				continue
			}
			for _, b := range d.Blocks {
				if b.File != nil || b.Table != nil && len(b.Table.Rows) > 0 && len(b.Table.Rows[0]) != len(b.Table.Head) {
					t.Errorf("block %+v", b)
				}
			}
		}
	})
}

// Nothing that a script says in a table is left out because its head is short.
func TestTablesAreAsWideAsTheirRows(t *testing.T) {
	same := func(s string) string { return s }
	got := table(timeline.Table{Head: []string{"host"}, Rows: [][]string{{"db1"}, {"db2", "93 %", "full"}, {}}}, same)
	want := &timeline.Table{Head: []string{"host", "", ""}, Rows: [][]string{{"db1", "", ""}, {"db2", "93 %", "full"}, {"", "", ""}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("table() (-want +got):\n%s", diff)
	}
	if got := table(timeline.Table{Head: []string{"a"}, Rows: [][]string{make([]string, maxColumns+5)}}, same); len(got.Head) != maxColumns || len(got.Rows[0]) != maxColumns {
		t.Errorf("table() is %d columns wide", len(got.Head))
	}
}

// Why a file is not attached is said in words of ours.
func TestCausesInWords(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := errors.Join(root.Mkdir("folder", 0o700), root.Symlink("/etc/passwd", "link")); err != nil {
		t.Fatal(err)
	}
	_, letter := base64.StdEncoding.DecodeString("%%")
	talk := &talk{folder: root}
	for what, want := range map[string]string{
		"gone": "it, or what it names, is not there", "../x": "it is outside its folder", "link": "it is outside its folder", "folder": "it is no regular file",
		"%%": "its base64 is wrong", "loud": "the machine says no space left on device",
	} {
		_, err := talk.read(what)
		switch what {
		case "%%":
			err = letter
		case "loud":
			err = &os.PathError{Op: "read", Path: "/srv/x", Err: syscall.ENOSPC}
		}
		if got := cause(err); got != want {
			t.Errorf("%s: %q, want %q (%v)", what, got, want, err)
		}
	}
}
