package script

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// manifestSuffix follows the name of the executable: disk.sh has disk.sh.yaml,
// or disk.yaml if nothing else would have that.
const manifestSuffix = ".yaml"

// ServicesFile is a file of the folder that is no manifest: it names the services
// and webhooks whose commands there are besides.
const ServicesFile = "services.yaml"

// Problem is a file that is no command, and why.
type Problem struct {
	File string
	Err  error
}

// Why is what is wrong, for those who keep the folder.
func (p Problem) Why() string { return cause(p.Err) }

// Load reads every command in dir. One that is broken hides no other.
func Load(dir string, o Options) ([]*Command, []Problem) {
	resolved, err := filepath.Abs(dir)
	if err == nil {
		resolved, err = filepath.EvalSymlinks(resolved)
	}
	if err != nil {
		return nil, []Problem{{dir, err}}
	}
	root, err := os.OpenRoot(resolved)
	if err != nil {
		return nil, []Problem{{dir, err}}
	}
	defer root.Close()
	if info, err := root.Stat("."); err != nil || writable(info) {
		return nil, []Problem{{dir, cmp.Or(err, errWritable)}}
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, []Problem{{dir, err}}
	}
	l := loader{root: root, folder: resolved, options: o.filled(), ids: map[string]string{}, words: map[string]string{}}
	manifests := map[string]bool{}
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, manifestSuffix) && !strings.HasPrefix(name, ".") && name != ServicesFile {
			manifests[name] = false // nobody's yet
		}
	}
	for _, e := range entries {
		if name := e.Name(); !strings.HasPrefix(name, ".") && !strings.HasSuffix(name, manifestSuffix) {
			l.file(name, e, manifests)
		}
	}
	for name, taken := range manifests {
		if !taken {
			l.problem(name, errors.New("there is no executable file that this manifest could belong to"))
		}
	}
	slices.SortFunc(l.problems, func(a, b Problem) int { return strings.Compare(a.File, b.File) })
	return l.commands, l.problems
}

var errWritable = errors.New("everybody may write to it: chmod o-w")

func writable(info fs.FileInfo) bool { return info.Mode().Perm()&0o002 != 0 }

type loader struct {
	root       *os.Root
	folder     string
	options    Options
	ids, words map[string]string // who has them
	commands   []*Command
	problems   []Problem
}

func (l *loader) problem(file string, err error) { l.problems = append(l.problems, Problem{file, err}) }

// file reads one file that may be an executable. What has neither a manifest nor
// the right to be run is somebody's notes, and left alone.
func (l *loader) file(name string, e fs.DirEntry, manifests map[string]bool) {
	manifest := name + manifestSuffix
	if _, ok := manifests[manifest]; !ok {
		if stem := strings.TrimSuffix(name, filepath.Ext(name)); stem != "" {
			manifest = stem + manifestSuffix
		}
	}
	taken, has := manifests[manifest]
	info, err := l.root.Stat(name) // a link out of the folder is an error here
	switch {
	case err != nil && (has || e.Type()&fs.ModeSymlink != 0):
		l.problem(name, err)
	case err != nil || info.IsDir():
	case !info.Mode().IsRegular():
		l.problem(name, errors.New("not a regular file"))
	case !has && info.Mode().Perm()&0o111 == 0:
	case !has:
		l.problem(name, fmt.Errorf("there is no manifest %s%s beside it", name, manifestSuffix))
	case taken:
		l.problem(name, fmt.Errorf("the manifest %s belongs to another file; write %s%s", manifest, name, manifestSuffix))
	default:
		manifests[manifest] = true
		if c, err := l.command(name, manifest); err != nil {
			l.problem(name, err)
		} else {
			l.commands = append(l.commands, c)
		}
		return
	}
	if has && err != nil {
		manifests[manifest] = true // said already
	}
}

func (l *loader) command(name, manifest string) (*Command, error) {
	text, err := readManifest(l.root, manifest)
	if err != nil {
		return nil, err
	}
	c, err := parse(name, manifest, text)
	if err != nil {
		return nil, err
	}
	c.folder, c.options = l.folder, l.options
	if c.Declaration.Version, err = digest(l.root, name, manifest); err != nil {
		return nil, err
	}
	typed := strings.ToLower(strings.Join(c.Declaration.Words, " "))
	if other := cmp.Or(l.ids[c.Declaration.ID], l.words[typed]); other != "" {
		return nil, fmt.Errorf("%s: %s already has the id %q or the words %q", manifest, other, c.Declaration.ID, typed)
	}
	l.ids[c.Declaration.ID], l.words[typed] = name, name
	return c, nil
}

func readManifest(root *os.Root, name string) ([]byte, error) {
	f, err := open(root, name, false)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxManifest+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return text, nil
}

// open opens a regular file inside the folder that not everybody may write to.
func open(root *os.Root, name string, run bool) (*os.File, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = fmt.Errorf("%s: not a regular file", name)
	case writable(info):
		err = fmt.Errorf("%s: %w", name, errWritable)
	case run && info.Mode().Perm()&0o111 == 0:
		err = fmt.Errorf("%s: not executable: chmod +x", name)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// digest is the hash of an executable and its manifest: what a run is approved of.
func digest(root *os.Root, name, manifest string) (string, error) {
	h := sha256.New()
	for i, file := range []string{name, manifest} {
		f, err := open(root, file, i == 0)
		if err != nil {
			return "", err
		}
		one := sha256.New()
		n, err := io.Copy(one, f)
		_ = f.Close()
		if err != nil {
			return "", fmt.Errorf("read %s: %w", file, err)
		}
		_ = binary.Write(h, binary.BigEndian, n)
		h.Write(one.Sum(nil))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// manifestName is which of the two names it has in root.
func manifestName(root *os.Root, name string) string {
	if _, err := root.Lstat(name + manifestSuffix); err == nil {
		return name + manifestSuffix
	}
	return strings.TrimSuffix(name, filepath.Ext(name)) + manifestSuffix
}

// Folder keeps what Load found and looks again when a file changed.
type Folder struct {
	dir     string
	options Options
	changed func()

	mu       sync.Mutex
	seen     string     // what the folder looked like; guarded by mu
	commands []*Command // guarded by mu
	problems []Problem  // guarded by mu
}

// Open reads dir; "" is a folder without commands. changed, if not nil, is called
// after a later look found something else.
func Open(dir string, o Options, changed func()) *Folder {
	f := &Folder{dir: dir, options: o, changed: changed}
	f.look()
	return f
}

// Commands are all that work. The list is the caller's, its commands are shared.
func (f *Folder) Commands() []*Command {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.commands)
}

// Problems are the files that do not.
func (f *Folder) Problems() []Problem {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.problems)
}

// Find is the command with an id, or nil.
func (f *Folder) Find(id string) *Command {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.IndexFunc(f.commands, func(c *Command) bool { return c.Declaration.ID == id }); i >= 0 {
		return f.commands[i]
	}
	return nil
}

// Run looks at the folder until ctx ends.
func (f *Folder) Run(ctx context.Context) error {
	if f.dir == "" {
		<-ctx.Done()
		return nil
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(f.options.filled().Every):
		}
		if f.look() && f.changed != nil {
			f.changed()
		}
	}
}

// look reads the folder if it does not look as it did, and says whether.
func (f *Folder) look() bool {
	if f.dir == "" {
		return false
	}
	now := appearance(f.dir)
	f.mu.Lock()
	same := now == f.seen
	f.mu.Unlock()
	if same {
		return false
	}
	commands, problems := Load(f.dir, f.options)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen, f.commands, f.problems = now, commands, problems
	return true
}

// appearance is names, sizes, rights and times of all files, links followed: a
// cheap question that decides whether they are read.
func appearance(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "none: " + err.Error()
	}
	var b strings.Builder
	for _, e := range append([]string{"."}, names(entries)...) {
		info, err := os.Stat(filepath.Join(dir, e))
		if err != nil {
			fmt.Fprintf(&b, "%s\x00%v\n", e, err)
			continue
		}
		fmt.Fprintf(&b, "%s\x00%d %o %d\n", e, info.Size(), info.Mode(), info.ModTime().UnixNano())
	}
	return b.String()
}

func names(entries []fs.DirEntry) []string {
	all := make([]string, 0, len(entries))
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}
