package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A backup of older tables is put, as it is, into a SQLite of its own with
// tables of that version. There the migrations do with it what they would have
// done with its server, and what comes out is backed up again: so there is one
// way to restore, and whoever writes a migration need not think of backups.

// bringUpTo makes a backup of older tables one of tables of version schema.
func (b *WholeBackup) bringUpTo(ctx context.Context, schema int64) error {
	header, err := headerOf(b.file)
	made := header.Schema
	b.At = header.At
	switch {
	case err != nil:
		return err
	case made == schema:
		return nil
	case made > schema:
		return bad("its tables are of version %d and this program knows only %d: upgrade it first", made, schema)
	case made < 1:
		return bad("it says that its tables are of version %d", made)
	}
	dir, err := os.MkdirTemp("", "watchroom-upgrade-*")
	if err != nil {
		return err
	}
	file, err := upgraded(ctx, b.file, made, dir)
	if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
		return fmt.Errorf("upgrade a backup of version %d: %w", made, err)
	}
	err = b.Close()
	b.file = file
	return err
}

// upgraded is a backup with the tables of today, in a new file.
func upgraded(ctx context.Context, from *os.File, made int64, dir string) (to *os.File, err error) {
	s, err := connect(ctx, Config{Path: filepath.Join(dir, "upgrade.db")})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err = errors.Join(err, s.Close()); err != nil && to != nil {
			err = errors.Join(err, to.Close(), os.Remove(to.Name()))
			to = nil
		}
	}()
	p, err := s.migrator()
	if err != nil {
		return nil, err
	}
	if _, err := p.UpTo(ctx, made); err != nil {
		return nil, err
	}
	tables, err := s.tablesThere(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.fill(ctx, tables, from); err != nil {
		return nil, err
	}
	if _, err := p.Up(ctx); err != nil {
		return nil, err
	}
	if to, err = os.CreateTemp("", "watchroom-restore-*"); err != nil {
		return nil, err
	}
	return to, s.Backup(ctx, to)
}

// fill puts the rows of a backup into empty tables of its own version.
func (s *Store) fill(ctx context.Context, tables []tableOf, from *os.File) error {
	t, _, err := s.engine.begin(ctx, nil)
	if err != nil {
		return err
	}
	in := &restorer{ctx: context.WithoutCancel(ctx), into: t, ended: ctx.Err}
	err = readBackup(from, tables, in.row)
	if err == nil {
		err = in.flush() //nolint:contextcheck // a transaction has its own; the caller's is looked at beside it
	}
	if err != nil {
		t.rollback()
		return err
	}
	return t.commit(in.ctx, []statement{in.headStatement(tables[0])}, 0, func() {}) //nolint:contextcheck // as above
}

// headStatement writes the row of numbers, which every database has.
func (in *restorer) headStatement(t tableOf) statement {
	set := make([]string, len(t.columns))
	for i, name := range t.names() {
		set[i] = fmt.Sprintf("%s = $%d", name, i+1)
	}
	return statement{`UPDATE ` + t.name + ` SET ` + strings.Join(set, `, `), in.head}
}

// tablesThere are the tables of a backup, with their columns, as far as this
// SQLite has them.
func (s *Store) tablesThere(ctx context.Context) ([]tableOf, error) {
	var there []tableOf
	for _, t := range backupTables() {
		names, err := all(ctx, s.read, value[string], `SELECT name FROM pragma_table_info($1)`, t.name)
		if err != nil {
			return nil, err
		}
		if len(names) == 0 {
			continue
		}
		t.columns = slices.DeleteFunc(t.columns, func(c string) bool { return !slices.Contains(names, strings.TrimLeft(c, "#?")) })
		there = append(there, t)
	}
	return there, nil
}
