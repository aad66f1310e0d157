package store

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// A backup is gzip of JSON lines, the same for both engines:
//
//	{"watchroom":"backup","format":1,"schema":1,"engine":"sqlite","at":"…"}
//	{"table":"head","columns":["epoch","seq",…]}
//	["06f…",1234,…]
//	…
//	{"end":true,"rows":5678,"sha256":"…"}    of all bytes before this line
//
// Every table is there, also when it is empty, in the order below. The words
// of the timeline are left out: the follower that fills them starts anew. So
// are leases, which belong to running nodes.

// backupFormat changes when an older program could not read a backup.
const backupFormat = 1

// ErrBackup says that what was to be restored is no complete backup that this
// program can read. What it wraps it with says why.
var ErrBackup = errors.New("this is not a usable backup")

// tableOf is a table with its columns and what identifies a row. A column is
// text, unless its name is marked: "#" is a whole number, "?" true or false.
type tableOf struct {
	name    string
	columns []string
	where   string
	order   string
}

func backupTables() []tableOf {
	fields := strings.Fields
	return []tableOf{
		{"head", fields("epoch #seq #incident #alert #delivery #rev #config #at"), ``, `id`},
		{"definition", fields("kind id #rev ?current #at body"), ``, `rev, kind, id`},
		{"incident", fields("#id #rev state entity_id team body #quotes"), ``, `id`},
		{"alert", fields("#id #incident integration #received_at body raw"), ``, `id`},
		{"entry", fields("#seq #at kind #incident team person room #thread actor payload #quotes"), ``, `seq`},
		{"message", fields("#seq room #pinned ?gone body"), ``, `seq`},
		{"mark", fields("person room #seq"), ``, `person, room`},
		{"mention", fields("person #seq room"), ``, `person, seq`},
		{"file", fields("id key person room #seq #at body"), ``, `id`},
		{"timer", fields("kind #incident #due_at"), ``, `kind, incident`},
		{"delivery", fields("#id key kind state #created_at #due_at #expires_at claimed_by #claimed_until #attempt #incident #entry person contact provider remote body"), ``, `id`},
		{"cursor", fields("name #seq"), ` WHERE name <> 'search'`, `name`}, // the words are filled from the beginning
		{"beat", fields("heartbeat #at #missed"), ``, `heartbeat`},
		{"muted", fields("entity #alert #until"), ``, `entity`},
		{"invocation", fields("id #number state command person room #incident lock short #asked_at #due_at ?waits claimed_by #claimed_until #cancel_at #started_at body output"), ``, `number`},
		{"invocation_event", fields("#seq invocation #at kind body sum hash"), ``, `seq`},
		{"lock", fields("name kind #until invocation body"), ``, `name, kind`},
		{"action", fields("hash #seq invocation person line #expires_at #used_at"), ``, `hash`},
		{"credential", fields("person password #at"), ``, `person`},
		{"factor", fields("person sealed #made_at #last_step"), ``, `person`},
		{"recovery", fields("hash person"), ``, `hash`},
		{"session", fields("id hash person #created_at #seen_at #expires_at address agent #proven_at"), ``, `id`},
		{"token", fields("id hash person name scopes #created_at #seen_at"), ``, `id`},
		{"link", fields("hash purpose person #expires_at"), ``, `hash`},
	}
}

// names are the columns without their marks.
func (t tableOf) names() []string {
	all := make([]string, len(t.columns))
	for i, c := range t.columns {
		all[i] = strings.TrimLeft(c, "#?")
	}
	return all
}

// targets are pointers to scan or decode a row of t into.
func (t tableOf) targets() []any {
	all := make([]any, len(t.columns))
	for i, c := range t.columns {
		switch c[0] {
		case '#':
			all[i] = new(int64)
		case '?':
			all[i] = new(bool)
		default:
			all[i] = new(string)
		}
	}
	return all
}

type backupHeader struct {
	Watchroom string    `json:"watchroom"`
	Format    int       `json:"format"`
	Schema    int64     `json:"schema"`
	Engine    string    `json:"engine"`
	At        time.Time `json:"at"`
}

type backupTable struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
}

type backupEnd struct {
	End    bool   `json:"end"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

// Backup writes everything as it is at one instant, while others go on
// writing. It is complete when the error is nil.
func (s *Store) Backup(ctx context.Context, w io.Writer) error {
	_, err := s.BackupNaming(ctx, w)
	return err
}

// BackupNaming is Backup. It returns the keys of the contents that the rows
// name, each once and in order: those are kept elsewhere.
func (s *Store) BackupNaming(ctx context.Context, w io.Writer) (keys []string, err error) {
	schema, _, err := s.Version(ctx)
	if err != nil {
		return nil, fmt.Errorf("back up: %w", err)
	}
	tx, err := s.snapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("back up: %w", err)
	}
	defer tx.Rollback()
	buffer := bufio.NewWriterSize(w, 64<<10)
	zip := gzip.NewWriter(buffer)
	sum := sha256.New()
	lines := json.NewEncoder(io.MultiWriter(zip, sum))
	lines.SetEscapeHTML(false)
	if err := lines.Encode(backupHeader{"backup", backupFormat, schema, s.Engine(), s.now()}); err != nil {
		return nil, fmt.Errorf("back up: %w", err)
	}
	var rows int64
	for _, t := range backupTables() {
		n, err := t.write(ctx, tx, lines, func(row []any) {
			if t.name == "file" {
				keys = append(keys, t.contents(plain(row))...)
			}
		})
		if err != nil {
			return nil, fmt.Errorf("back up table %s: %w", t.name, err)
		}
		rows += n
	}
	end := json.NewEncoder(zip).Encode(backupEnd{true, rows, hex.EncodeToString(sum.Sum(nil))})
	if err := errors.Join(end, zip.Close(), buffer.Flush()); err != nil {
		return nil, fmt.Errorf("back up: %w", err)
	}
	return inOrder(keys), nil
}

func inOrder(keys []string) []string {
	slices.Sort(keys)
	return slices.Compact(keys)
}

// contents are the keys of what a row of the table of files names; none for a
// file that is being removed.
func (t tableOf) contents(row []any) []string {
	text := func(name string) string { return row[slices.Index(t.names(), name)].(string) }
	if at := row[slices.Index(t.names(), "at")].(int64); at == 0 {
		return nil
	}
	keys := []string{text("key")}
	if b, err := readJSON[fileBody]([]byte(text("body"))); err == nil && b.Preview != "" {
		keys = append(keys, b.Preview)
	}
	return keys
}

// plain are the values that a row of targets points to.
func plain(row []any) []any {
	values := make([]any, len(row))
	for i, p := range row {
		switch v := p.(type) {
		case *int64:
			values[i] = *v
		case *bool:
			values[i] = *v
		case *string:
			values[i] = *v
		}
	}
	return values
}

// snapshot begins a transaction that sees one instant.
func (s *Store) snapshot(ctx context.Context) (*sql.Tx, error) {
	if s.Engine() != "postgres" {
		return s.read.BeginTx(ctx, nil)
	}
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	// A slow receiver keeps the transaction waiting; it locks nothing.
	if _, err := tx.ExecContext(ctx, `SET LOCAL idle_in_transaction_session_timeout = 0`); err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	return tx, nil
}

func (t tableOf) write(ctx context.Context, tx *sql.Tx, lines *json.Encoder, visit func(row []any)) (n int64, err error) {
	if err := lines.Encode(backupTable{t.name, t.names()}); err != nil {
		return 0, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT `+strings.Join(t.names(), `, `)+` FROM `+t.name+t.where+` ORDER BY `+t.order)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for ; rows.Next(); n++ {
		row := t.targets() // their JSON is that of what they point to
		if err := rows.Scan(row...); err != nil {
			return n, err
		}
		if err := lines.Encode(row); err != nil {
			return n, err
		}
		visit(row)
	}
	return n, rows.Err()
}
