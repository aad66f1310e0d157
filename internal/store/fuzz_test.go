package store

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// FuzzReadBackup reads what somebody says is a backup, as it is and as the
// lines of one whose checksum is right, of today or of older tables. Either it
// is refused as a backup, or every row has values of the types of its table's columns.
func FuzzReadBackup(f *testing.F) {
	header := `{"watchroom":"backup","format":1,"schema":1,"engine":"sqlite","at":"2026-01-02T03:04:05Z"}`
	var empty strings.Builder
	empty.WriteString(header + "\n")
	for _, t := range backupTables() {
		fmt.Fprintf(&empty, "{\"table\":%q,\"columns\":[\"%s\"]}\n", t.name, strings.Join(t.names(), `","`))
		if t.name == "head" {
			empty.WriteString(`["e",1,2,3,4,5,6,7]` + "\n")
		}
	}
	f.Add([]byte(empty.String()), int64(1))
	f.Add([]byte(header+"\n[1,2]\n"), int64(1))
	f.Add([]byte(header+"\n"+`{"table":"head","columns":["epoch"]}`+"\n[null]\n"), int64(1))
	f.Add([]byte("{}\n"), int64(0))
	f.Fuzz(func(t *testing.T, text []byte, rows int64) {
		sum := sha256.Sum256(text)
		end := fmt.Sprintf("{\"end\":true,\"rows\":%d,\"sha256\":%q}\n", rows, hex.EncodeToString(sum[:]))
		for i, file := range [][]byte{text, squeezed(t, text), squeezed(t, append(slices.Clone(text), end...)), squeezed(t, append(slices.Clone(text), end...))} {
			heads, tables := 0, backupTables()
			if i == 3 {
				tables = slices.DeleteFunc(tables, func(t tableOf) bool { return t.name == "factor" || t.name == "recovery" })
			}
			err := readBackup(bytes.NewReader(file), tables, func(table tableOf, row []any) error {
				if table.name == "head" {
					heads++
				}
				checkRow(t, table, row)
				return nil
			})
			if err != nil && !errors.Is(err, ErrBackup) {
				t.Errorf("readBackup: %v, want ErrBackup", err)
			}
			if err == nil && heads != 1 {
				t.Errorf("a backup with %d heads was taken", heads)
			}
		}
	})
}

func checkRow(t *testing.T, table tableOf, row []any) {
	t.Helper()
	if len(row) != len(table.columns) {
		t.Fatalf("table %s: %d values for %d columns", table.name, len(row), len(table.columns))
	}
	for i, want := range table.targets() {
		ok := false
		switch want.(type) {
		case *int64:
			_, ok = row[i].(int64)
		case *bool:
			_, ok = row[i].(bool)
		case *string:
			_, ok = row[i].(string)
		}
		if !ok {
			t.Errorf("table %s, column %s: a %T", table.name, table.columns[i], row[i])
		}
	}
}

func squeezed(t *testing.T, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	zip, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := zip.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// FuzzWords takes what people search for. The words go into the query language
// of either engine, so nothing that means something there may be left.
func FuzzWords(f *testing.F) {
	f.Add(`disk "full" AND db-01:* | 'x' & !y`)
	f.Add("İstanbul \x00 ﬀ Ǆ\xff")
	f.Fuzz(func(t *testing.T, text string) {
		for _, w := range Words(text) {
			if w == "" || len(w) > maxWord {
				t.Errorf("Words(%q) has %q, of %d bytes", text, w, len(w))
			}
			if i := strings.IndexFunc(w, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }); i >= 0 {
				t.Errorf("Words(%q) has %q", text, w)
			}
			if again := Words(w); !slices.Equal(again, []string{w}) {
				t.Errorf("Words(%q) = %q", w, again)
			}
		}
	})
}
