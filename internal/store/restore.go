package store

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// maxBackupLine is far above the longest row, an alert with its raw payload.
const maxBackupLine = 64 << 20

// restoreStatement is for how long a server may delete what it has.
const restoreStatement = time.Hour

// Restore replaces everything by what a backup holds, of either engine, while
// serving. The whole of it is checked first; on any error nothing has changed.
// Readers see the old or the new, and the head has a new epoch by which those
// who follow the timeline notice. Deliveries that were waiting wait again.
func (s *Store) Restore(ctx context.Context, r io.Reader) (err error) {
	b, err := ReadBackup(ctx, r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	return b.Restore(ctx, s)
}

// ReadBackup reads a backup to its end and checks all of it; no store is needed
// for that, nor changed. The caller closes what it returns.
func ReadBackup(ctx context.Context, r io.Reader) (_ *WholeBackup, err error) {
	schema, err := newestSchema()
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	file, err := os.CreateTemp("", "watchroom-restore-*")
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	b := &WholeBackup{file: file, schema: schema}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	if _, err := io.Copy(file, r); err != nil {
		return nil, fmt.Errorf("restore: read backup: %w", err)
	}
	if err := b.bringUpTo(ctx, schema); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	err = readBackup(b.file, backupTables(), func(t tableOf, row []any) error {
		switch t.name {
		case "head":
			b.Seq = headOf(row).seq
		case "incident":
			b.Incidents++
		case "file":
			b.keys = append(b.keys, t.contents(row)...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	b.keys = inOrder(b.keys)
	return b, nil
}

// WholeBackup is a backup that was read and is complete and unchanged.
type WholeBackup struct {
	At        time.Time // when it was made
	Seq       id.Seq    // of the last entry in it
	Incidents int

	file   *os.File
	schema int64 // the version of its tables, now
	keys   []string
}

// Keys are those of the contents that its rows name, in order.
func (b *WholeBackup) Keys() []string { return b.keys }

// Close removes its copy.
func (b *WholeBackup) Close() error { return errors.Join(b.file.Close(), os.Remove(b.file.Name())) }

// Restore replaces everything in s by it.
func (b *WholeBackup) Restore(ctx context.Context, s *Store) error {
	has, _, err := s.Version(ctx)
	if err == nil && has != b.schema { // a newer program has opened it meanwhile
		err = fmt.Errorf("the tables are of version %d and this program restores into version %d", has, b.schema)
	}
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	err = s.Do(ctx, func(tx *Tx) error {
		in := &restorer{ctx: tx.ctx, into: tx.tx, ended: ctx.Err}
		if err := in.empty(); err != nil { //nolint:contextcheck // a transaction has its own; the caller's is looked at beside it
			return err
		}
		if err := readBackup(b.file, backupTables(), in.row); err != nil {
			return err
		}
		if err := in.flush(); err != nil { //nolint:contextcheck // as above
			return err
		}
		tx.DropClaims() // whoever claimed a delivery then is not at work on it now
		tx.head, tx.dirty, tx.restored = headOf(in.head), true, true
		tx.head.epoch = id.New()
		return nil
	})
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

// restorer writes rows as they come, in statements of many; everything else
// that writes has buffers instead, which a whole backup would not fit into.
type restorer struct {
	ctx   context.Context
	into  tx
	ended func() error // says that nobody waits for the restore any more
	head  []any        // its one row, which is there already
	table tableOf
	rows  [][]any
}

// empty deletes what there is, in all tables of a backup but the head, which
// always has one row.
func (in *restorer) empty() error {
	tables := []string{"entry_text"}
	for _, t := range backupTables()[1:] {
		tables = append(tables, t.name)
	}
	for _, name := range tables {
		if err := in.exec(statement{query: `DELETE FROM ` + name}); err != nil {
			return err
		}
	}
	return nil
}

func (in *restorer) exec(st statement) error {
	if err := in.ended(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(in.ctx, restoreStatement)
	defer cancel()
	_, err := all(ctx, in.into, func(*sql.Rows) (struct{}, error) { return struct{}{}, nil }, st.query, st.args...)
	return err
}

func (in *restorer) row(t tableOf, values []any) error {
	if t.name == "head" {
		in.head = values
		return nil
	}
	if t.name != in.table.name || len(in.rows) == 64 {
		if err := in.flush(); err != nil {
			return err
		}
		in.table = t
	}
	in.rows = append(in.rows, values)
	return nil
}

func headOf(values []any) head {
	h := head{epoch: values[0].(string), seq: id.Seq(values[1].(int64)), incident: id.Incident(values[2].(int64))}
	h.alert, h.delivery = id.Alert(values[3].(int64)), id.Delivery(values[4].(int64))
	h.rev, h.config, h.at = values[5].(int64), values[6].(int64), instant(values[7].(int64))
	return h
}

func (in *restorer) flush() error {
	if len(in.rows) == 0 {
		return nil
	}
	var into strings.Builder
	into.WriteString(`INSERT INTO ` + in.table.name + ` (`)
	for i, c := range in.table.names() {
		if i > 0 {
			into.WriteString(`, `)
		}
		into.WriteString(c)
	}
	for _, st := range insertRows(into.String()+`)`, in.rows, ``) {
		if err := in.exec(st); err != nil {
			return err
		}
	}
	in.rows = in.rows[:0]
	return nil
}

// bad is an error about the backup itself.
func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrBackup, fmt.Errorf(format, args...))
}

// backupLines are the lines of a backup from its beginning on.
func backupLines(file io.ReadSeeker) (*bufio.Scanner, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read backup: %w", err)
	}
	zip, err := gzip.NewReader(bufio.NewReaderSize(file, 64<<10))
	if err != nil {
		return nil, bad("it is not compressed with gzip")
	}
	lines := bufio.NewScanner(zip)
	lines.Buffer(make([]byte, 0, 64<<10), maxBackupLine)
	lines.Split(wholeLines)
	return lines, nil
}

// headerOf is how a backup begins: when it was made, and of tables of which version.
func headerOf(file io.ReadSeeker) (backupHeader, error) {
	lines, err := backupLines(file)
	if err != nil {
		return backupHeader{}, err
	}
	if !lines.Scan() {
		return backupHeader{}, bad("it is damaged or cut off before its first line ends: %w", cmp.Or(lines.Err(), io.ErrUnexpectedEOF))
	}
	return readHeader(lines.Bytes())
}

func readHeader(line []byte) (backupHeader, error) {
	var h backupHeader
	if err := json.Unmarshal(line, &h); err != nil || h.Watchroom != "backup" {
		return h, bad("it was not made by Watchroom")
	}
	if h.Format != backupFormat {
		return h, bad("it has format %d, and this program reads format %d", h.Format, backupFormat)
	}
	return h, nil
}

// readBackup reads a backup of tables from the beginning and gives every row to
// visit, its values as int64, bool or string. It returns nil only when the
// backup is complete and unchanged.
func readBackup(file io.ReadSeeker, tables []tableOf, visit func(tableOf, []any) error) error {
	lines, err := backupLines(file)
	if err != nil {
		return err
	}
	p := &backupParser{tables: tables, visit: visit}
	sum := sha256.New()
	for lines.Scan() {
		line := lines.Bytes()
		if err := p.line(line, func() string { return hex.EncodeToString(sum.Sum(nil)) }); err != nil {
			return err
		}
		_, _ = sum.Write(line) // never fails
		_, _ = sum.Write([]byte{'\n'})
	}
	if err := lines.Err(); err != nil {
		return bad("it is damaged or cut off after %d lines: %w", p.lines, err)
	}
	if !p.ended {
		return bad("it is cut off after %d lines", p.lines)
	}
	return nil
}

// wholeLines is bufio.ScanLines for text in which the last line ends, too: a
// part of a line is not read as one.
func wholeLines(data []byte, atEOF bool) (advance int, line []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return 0, nil, io.ErrUnexpectedEOF
	}
	return 0, nil, nil
}

// backupParser knows where in a backup it is.
type backupParser struct {
	tables []tableOf // those to come; the first is the current one once begun
	begun  bool      // a table was begun
	visit  func(tableOf, []any) error
	lines  int
	rows   int64
	heads  int
	ended  bool
}

func (p *backupParser) line(line []byte, sum func() string) error {
	p.lines++
	switch {
	case p.ended:
		return bad("something follows its end")
	case p.lines == 1:
		_, err := readHeader(line)
		return err
	case bytes.HasPrefix(line, []byte(`[`)):
		return p.row(line)
	case bytes.HasPrefix(line, []byte(`{"end"`)):
		return p.end(line, sum())
	}
	return p.table(line)
}

func (p *backupParser) table(line []byte) error {
	var t backupTable
	if err := json.Unmarshal(line, &t); err != nil {
		return bad("line %d cannot be read", p.lines)
	}
	if p.begun {
		p.tables = p.tables[1:]
	}
	p.begun = true
	if len(p.tables) == 0 || p.tables[0].name != t.Table || !slices.Equal(p.tables[0].names(), t.Columns) {
		return bad("line %d: table %q is not expected here, or not with these columns", p.lines, t.Table)
	}
	return nil
}

func (p *backupParser) row(line []byte) error {
	if !p.begun {
		return bad("line %d belongs to no table", p.lines)
	}
	t := p.tables[0]
	var texts []json.RawMessage
	if err := json.Unmarshal(line, &texts); err != nil || len(texts) != len(t.columns) {
		return bad("line %d is not a row of table %s", p.lines, t.name)
	}
	row := t.targets()
	for i, text := range texts {
		if err := json.Unmarshal(text, row[i]); err != nil || string(text) == "null" {
			return bad("line %d: column %s of table %s has no value of its type", p.lines, t.names()[i], t.name)
		}
	}
	row = plain(row)
	p.rows++
	if t.name == "head" {
		p.heads++
	}
	return p.visit(t, row)
}

func (p *backupParser) end(line []byte, sum string) error {
	var e backupEnd
	err := json.Unmarshal(line, &e)
	switch {
	case err != nil || !e.End:
		return bad("line %d cannot be read", p.lines)
	case len(p.tables) != 1 || !p.begun || p.heads != 1:
		return bad("it ends before its last table")
	case e.Rows != p.rows:
		return bad("it has %d rows and should have %d", p.rows, e.Rows)
	case e.SHA256 != sum:
		return bad("its checksum is wrong: it was changed or damaged")
	}
	p.ended = true
	return nil
}
