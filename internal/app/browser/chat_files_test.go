package browser

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"

	"github.com/watchroom/watchroom/internal/room"
)

// drop lets files fall onto what matches sel, as a hand does that drags them
// from the desk.
func (tb *tab) drop(sel string, files ...string) {
	tb.Helper()
	at := value[[]float64](tb, fmt.Sprintf(`(() => { const r = all(%s)[0].getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()`, quote(sel)))
	data := &input.DragData{Items: []*input.DragDataItem{}, Files: files, DragOperationsMask: 1}
	drag := func(kind input.DispatchDragEventType) {
		call(tb, input.DispatchDragEvent, input.DispatchDragEventParams{Type: kind, X: at[0], Y: at[1], Data: data})
	}
	drag(input.DispatchDragEventTypeDragEnter)
	drag(input.DispatchDragEventTypeDragOver)
	tb.sees(".is-dropping .drop-hint", "Drop files")
	drag(input.DispatchDragEventTypeDrop)
	tb.misses(".drop-hint", "")
}

// upstream is how many bytes a second leave the browser; -1: as many as can.
func (tb *tab) upstream(bytes float64) {
	tb.Helper()
	call(tb, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{
		{URLPattern: tb.url + "/files", DownloadThroughput: -1, UploadThroughput: bytes},
	}})
}

// chatDrop: files are dropped into a room; on a slow line the bar moves, one is
// cancelled and leaves nothing behind, the other arrives; what is no file to
// share is refused with a sentence.
func chatDrop(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	r := h.room("ada", room.Public, "ops", "kim")
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	noise := make([]byte, 600<<10)
	for i := range noise {
		noise[i] = "0123456789abcdef\n"[rand.IntN(17)]
	}
	dump := file("heap.txt", noise)
	wrong := file("wrong.txt", noise)
	program := file("tool", append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 200)...))
	ada, kim := h.enter(chromium, "ada"), h.enter(chromium, "kim")
	arriving := t.TempDir() // where the server keeps what it has not received yet
	t.Setenv("TMPDIR", arriving)
	receives := func(n int) {
		t.Helper()
		ada.waitFor(fmt.Sprintf("the server receives %d files", n), func() bool { return len(stored(t, arriving)) == n })
	}
	for _, tb := range []*tab{ada, kim} {
		tb.open("/rooms/ops")
		tb.live()
	}
	ada.upstream(12 << 10) // neither is over before the page has been looked at
	ada.drop("[data-stream]", dump, wrong)
	ada.sees(".upload", "heap.txt")
	ada.sees(".upload", "wrong.txt")
	ada.until(`all(".upload progress").length === 2 && all(".upload progress").every((p) => p.value > 0 && p.value < 100)`)
	receives(2)
	ada.press("\r")
	ada.sees(".toast", "Wait until the files are uploaded")
	newAuditor(ada, "chat").look("uploading")
	ada.media("light", wide)
	first := value[float64](ada, `all(".upload progress")[0].value`)
	ada.until(fmt.Sprintf(`!all(".upload progress")[0] || all(".upload progress")[0].value > %f`, first))
	ada.click(`.upload button[aria-label*="wrong.txt"]`, "")
	ada.misses(".upload", "wrong.txt")
	receives(1) // or the browser might have sent all of it by the time it hears of that
	ada.upstream(-1)
	ada.sees(".upload.is-ready", "heap.txt")
	ada.misses(".upload progress", "")
	ada.fill("#composer", "the heap of tonight")
	ada.press("\r")
	kim.sees("[data-message]", "the heap of tonight")
	kim.sees("[data-message] .msg-log", "heap.txt")
	kim.click("[data-message] .msg-log summary", "heap.txt")
	kim.until(fmt.Sprintf(`(document.querySelector("[data-preview-text]")?.textContent ?? "").startsWith(%s)`, quote(string(noise[:100]))))
	newAuditor(kim, "chat").look("dropped")
	files, err := h.app.Store.RoomFiles(t.Context(), r.ID, 10)
	if err != nil || len(files) != 1 || files[0].Name != "heap.txt" || files[0].Size != int64(len(noise)) {
		t.Errorf("RoomFiles = %v, %v, want the heap alone", files, err)
	}
	if kept := stored(t, filepath.Join(h.config.Data, "files")); len(kept) != 1 {
		t.Errorf("the server keeps %q, want the heap alone", kept)
	}

	ada.drop("[data-stream]", program)
	ada.sees(".toast", "are not accepted here")
	ada.misses(".upload", "")
	ada.calm("Failed to load resource")
	kim.calm()
}

// stored are the files that a folder holds, all the way down.
func stored(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // removed while we look
			return nil
		}
		if err == nil && !e.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
