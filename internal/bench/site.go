package bench

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/store"
)

// site is where databases of one engine are made. Each measurement has a
// fresh copy of a database that holds the organisation and nothing else.
type site interface {
	engine() string
	known() furnished
	fresh(ctx context.Context) (place, error)
	open(ctx context.Context, p place) (raw, error) // the bare driver
	discard(ctx context.Context, p place) error
	bytes(ctx context.Context, p place) (int64, error) // of the whole database, indexes included
	close(ctx context.Context) error
}

// place is one database, with the folder of its node.
type place struct{ data, database string }

func (p place) storage() config.Storage { return config.Storage{Data: p.data, Database: p.database} }
func (p place) keyFile() string         { return p.storage().KeyFile() }
func (p place) storeConfig() store.Config {
	return store.Config{Path: p.storage().DatabaseFile(), Database: p.database}
}

func openSite(ctx context.Context, engine, root string) (site, error) {
	switch engine {
	case "sqlite":
		return openFiles(ctx, filepath.Join(root, engine))
	case "postgres":
		return openServer(ctx, filepath.Join(root, engine))
	}
	return nil, fmt.Errorf("no engine %q; there are sqlite and postgres", engine)
}

// files is the site of SQLite: a folder for each database.
type files struct {
	root  string
	first furnished
	made  int
}

func openFiles(ctx context.Context, root string) (*files, error) {
	s := &files{root: root}
	var err error
	s.first, err = furnish(ctx, place{data: s.template()})
	return s, err
}

func (s *files) template() string { return filepath.Join(s.root, "template") }
func (s *files) engine() string   { return "sqlite" }
func (s *files) known() furnished { return s.first }

func (s *files) fresh(context.Context) (place, error) {
	s.made++
	p := place{data: filepath.Join(s.root, strconv.Itoa(s.made))}
	if err := os.CopyFS(p.data, os.DirFS(s.template())); err != nil {
		return p, fmt.Errorf("copy the template: %w", err)
	}
	return p, nil
}

func (s *files) open(ctx context.Context, p place) (raw, error) {
	return openSQLite(ctx, p.storage().DatabaseFile())
}

func (s *files) discard(_ context.Context, p place) error { return os.RemoveAll(p.data) }

// bytes counts the file alone: the node has stopped, and closing has emptied its log into the file.
func (s *files) bytes(_ context.Context, p place) (int64, error) {
	info, err := os.Stat(p.storage().DatabaseFile())
	if err != nil {
		return 0, fmt.Errorf("measure the database: %w", err)
	}
	return info.Size(), nil
}

func (s *files) close(context.Context) error { return nil }

// server is the site of PostgreSQL: a database for each, copied by the engine.
type server struct {
	root  string
	url   string
	own   *pgtest.Server // nil when the environment named one
	admin *postgres
	first furnished
	made  int
	tag   string // of its databases: the server may be shared, also by others of this process
}

func openServer(ctx context.Context, root string) (_ *server, err error) {
	s := &server{root: root, url: os.Getenv(pgtest.Env), tag: id.Secret(5)}
	if s.url == "" {
		if s.own, err = pgtest.Start(ctx, pgtest.Options{}); err != nil {
			return nil, err
		}
		s.url = s.own.URL()
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close(context.WithoutCancel(ctx)))
		}
	}()
	if s.admin, err = openPostgres(ctx, s.url); err != nil {
		return nil, err
	}
	p, err := s.create(ctx, "template", "template0")
	if err != nil {
		return nil, err
	}
	s.first, err = furnish(ctx, p)
	return s, err
}

func (s *server) engine() string   { return "postgres" }
func (s *server) known() furnished { return s.first }

func (s *server) name(of string) string { return "watchroom_bench_" + s.tag + "_" + of }

func (s *server) create(ctx context.Context, as, from string) (place, error) {
	p := place{data: filepath.Join(s.root, as)}
	u, err := url.Parse(s.url)
	if err != nil {
		return p, fmt.Errorf("read the URL of the server: %w", err)
	}
	u.Path = "/" + s.name(as)
	p.database = u.String()
	return p, s.admin.exec(ctx, "CREATE DATABASE "+s.name(as)+" TEMPLATE "+from)
}

func (s *server) fresh(ctx context.Context) (place, error) {
	s.made++
	p, err := s.create(ctx, strconv.Itoa(s.made), s.name("template"))
	if err != nil {
		return p, err
	}
	if err := os.CopyFS(p.data, os.DirFS(filepath.Join(s.root, "template"))); err != nil {
		return p, fmt.Errorf("copy the template: %w", err)
	}
	return p, nil
}

func (s *server) open(ctx context.Context, p place) (raw, error) {
	return openPostgres(ctx, p.database)
}

func (s *server) discard(ctx context.Context, p place) error {
	return errors.Join(os.RemoveAll(p.data), s.drop(ctx, filepath.Base(p.data)))
}

func (s *server) drop(ctx context.Context, what string) error {
	return s.admin.exec(ctx, "DROP DATABASE IF EXISTS "+s.name(what)+" WITH (FORCE)")
}

func (s *server) bytes(ctx context.Context, p place) (int64, error) {
	if err := s.admin.exec(ctx, "CHECKPOINT"); err != nil {
		return 0, err
	}
	return s.admin.number(ctx, "SELECT pg_database_size('"+s.name(filepath.Base(p.data))+"')")
}

func (s *server) close(ctx context.Context) error {
	var errs []error
	if s.admin != nil {
		errs = append(errs, s.drop(ctx, "template"), s.admin.close(ctx))
	}
	if s.own != nil {
		s.own.Stop()
	}
	return errors.Join(errs...)
}
