package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/timeline"
)

// File is an uploaded file. Its content is kept elsewhere, under Key.
type File struct {
	timeline.File
	Key     string // in the bucket; no other file has it, also of the same content
	Preview string // key of a smaller picture; "" when there is none
	Lines   string // the first lines of a text
	Person  id.User
	Room    id.Room // of the message that shows it; meaningless while Seq is 0
	Seq     id.Seq  // that message; 0: none yet
	At      time.Time
}

type fileBody struct {
	timeline.File
	Preview string `json:"preview,omitempty"`
	Lines   string `json:"lines,omitempty"`
}

const selectFile = `SELECT id, key, person, room, seq, at, body FROM file`

func scanFile(rows *sql.Rows) (File, error) {
	var f File
	var at int64
	var body []byte
	var fileID id.File
	if err := rows.Scan(&fileID, &f.Key, &f.Person, &f.Room, &f.Seq, &at, &body); err != nil {
		return f, err
	}
	b, err := readJSON[fileBody](body)
	f.File, f.Preview, f.Lines, f.At = b.File, b.Preview, b.Lines, instant(at)
	f.ID = fileID
	return f, err
}

// PutFile writes down an uploaded file.
func (tx *Tx) PutFile(f File) error {
	body, err := writeJSON(fileBody{f.File, f.Preview, f.Lines})
	if err != nil {
		return fmt.Errorf("write file %s: %w", f.ID, err)
	}
	tx.exec(`INSERT INTO file (id, key, person, room, seq, at, body) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO UPDATE SET person = excluded.person, room = excluded.room, seq = excluded.seq`,
		string(f.ID), f.Key, string(f.Person), string(f.Room), int64(f.Seq), micros(f.At), body)
	return nil
}

// DropFile forgets a file; its content is for the caller to remove.
func (tx *Tx) DropFile(f id.File) { tx.exec(`DELETE FROM file WHERE id = $1`, string(f)) }

// condemn makes files nobody's: no message shows them, none will, and who
// removes loose files finds them at once.
const condemn = `UPDATE file SET seq = 0, room = '', person = '', at = 0`

// CondemnFile says that a file that no message shows is to be removed.
func (tx *Tx) CondemnFile(f id.File) { tx.exec(condemn+` WHERE seq = 0 AND id = $1`, string(f)) }

// HideFiles takes the files out of a message that is no more; they are to be removed.
func (tx *Tx) HideFiles(seq id.Seq) { tx.exec(condemn+` WHERE seq > 0 AND seq = $1`, int64(seq)) }

// File returns one file; ErrNotFound when there is none.
func (tx *Tx) File(f id.File) (File, error) {
	return one(tx.ctx, tx.tx, scanFile, selectFile+` WHERE id = $1`, string(f))
}

// File returns one file; ErrNotFound when there is none. Whether somebody may
// read it follows from its room.
func (s *Store) File(ctx context.Context, f id.File) (File, error) {
	return one(ctx, s.read, scanFile, selectFile+` WHERE id = $1`, string(f))
}

// RoomFiles returns the files that the messages of a room show, the newest first.
func (s *Store) RoomFiles(ctx context.Context, room id.Room, limit int) ([]File, error) {
	return all(ctx, s.read, scanFile, selectFile+` WHERE room = $1 AND seq > 0 ORDER BY seq DESC LIMIT $2`, string(room), limit)
}

// FilesAfter returns some of the files that are not being removed, in the order
// of their ids, which are all after the given one.
func (s *Store) FilesAfter(ctx context.Context, after id.File, limit int) ([]File, error) {
	return all(ctx, s.read, scanFile, selectFile+` WHERE at > 0 AND id > $1 ORDER BY id LIMIT $2`, string(after), limit)
}

// LooseFiles returns files that were uploaded before an instant and that no message shows.
func (s *Store) LooseFiles(ctx context.Context, before time.Time, limit int) ([]File, error) {
	return all(ctx, s.read, scanFile, selectFile+` WHERE seq = 0 AND at < $1 ORDER BY at LIMIT $2`, micros(before), limit)
}

// KeyUsed reports whether any file has its content, or its preview, under key.
func (tx *Tx) KeyUsed(key string) (bool, error) {
	n, err := one(tx.ctx, tx.tx, value[int], `SELECT COUNT(*) FROM file WHERE key = $1 OR body LIKE $2`, key, `%"`+key+`"%`)
	return n > 0, err
}
