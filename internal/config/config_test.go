package config

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

type program struct {
	File  File `name:"config" env:"WATCHROOM_CONFIG"`
	Serve struct {
		Config Config `embed:""`
	} `cmd:""`
}

func load(t *testing.T, args ...string) (Config, error) {
	t.Helper()
	var p program
	k, err := kong.New(&p, kong.Exit(func(int) { t.Error("kong exits") }))
	if err != nil {
		t.Fatal(err)
	}
	_, err = k.Parse(append([]string{"serve"}, args...))
	return p.Serve.Config, err
}

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "watchroom.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestNothingSetIsDefault(t *testing.T) {
	got, err := load(t)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Default(), got); diff != "" {
		t.Errorf("defaults of the tags differ from Default (-Default +tags):\n%s", diff)
	}
	if err := got.Validate(); err != nil {
		t.Errorf("Validate of the defaults: %v", err)
	}
}

func TestPrecedence(t *testing.T) {
	file := write(t, "listen: :1\npublic-url: http://file\nlog-level: warn\nmax-upload: 1MiB\nallow-private-targets: true\nshutdown-timeout: 3s\ntrusted-proxies:\n  - 10.0.0.0/8\n  - 192.168.1.1\n")
	for _, c := range []struct {
		name string
		env  map[string]string
		args []string
		want func(*Config)
	}{
		{"file alone", nil, nil, func(c *Config) { c.Listen = ":1" }},
		{"environment over file", map[string]string{"WATCHROOM_LISTEN": ":2"}, nil, func(c *Config) { c.Listen = ":2" }},
		{"flag over both", map[string]string{"WATCHROOM_LISTEN": ":2"}, []string{"--listen=:3"}, func(c *Config) { c.Listen = ":3" }},
		{"an environment variable that is empty counts", map[string]string{"WATCHROOM_PUBLIC_URL": ""}, nil, func(c *Config) { c.Listen, c.PublicURL = ":1", "" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			want := Default()
			want.LogLevel, want.MaxUpload, want.AllowPrivateTargets, want.ShutdownTimeout = "warn", 1<<20, true, 3*time.Second
			want.PublicURL, want.TrustedProxies = "http://file", []string{"10.0.0.0/8", "192.168.1.1"}
			c.want(&want)
			got, err := load(t, append(c.args, "--config", file)...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("the file named in the environment", func(t *testing.T) {
		t.Setenv("WATCHROOM_CONFIG", file)
		if got, err := load(t); err != nil || got.Listen != ":1" {
			t.Errorf("listen = %q, %v, want :1", got.Listen, err)
		}
	})
}

func TestEveryFlagHasItsVariable(t *testing.T) {
	k, err := kong.New(&Config{}, kong.NoDefaultHelp())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range k.Model.Flags {
		want := "WATCHROOM_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if len(f.Envs) != 1 || f.Envs[0] != want || f.Help == "" {
			t.Errorf("--%s: environment %v, help %q, want %s and a sentence", f.Name, f.Envs, f.Help, want)
		}
	}
}

func TestBadFiles(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"an unknown key", "listen: :1\n\nlisten-on: :2\n", `watchroom.yaml:3: there is no setting "listen-on"`},
		{"a key twice", "data: a\ndata: b\n", "watchroom.yaml:2: "},
		{"a mapping for a value", "data:\n  dir: x\n", "watchroom.yaml:1: data: a plain value"},
		{"a list of lists", "trusted-proxies:\n  - [a]\n", "trusted-proxies: a list of plain values"},
		{"a bad size", "max-upload: lots\n", "not a size"},
		{"no mapping", "- a\n", "watchroom.yaml:1: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := load(t, "--config", write(t, c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	if _, err := load(t, "--config", filepath.Join(t.TempDir(), "none.yaml")); err == nil || !strings.Contains(err.Error(), "none.yaml: no such file") {
		t.Errorf("a missing file: %v", err)
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*Config)
		want string
	}{
		{"no port", func(c *Config) { c.Listen = "localhost" }, "--listen"},
		{"port too large", func(c *Config) { c.Listen = ":70000" }, "--listen"},
		{"a named port", func(c *Config) { c.Listen = ":http" }, "--listen"},
		{"public URL without scheme", func(c *Config) { c.PublicURL = "example.org" }, "--public-url"},
		{"public URL of another kind", func(c *Config) { c.PublicURL = "ftp://example.org" }, "--public-url"},
		{"public URL with a path", func(c *Config) { c.PublicURL = "https://example.org/watch" }, "--public-url"},
		{"public URL with a user", func(c *Config) { c.PublicURL = "https://u:p@example.org" }, "--public-url"},
		{"MySQL", func(c *Config) { c.Database = "mysql://u:hunter2@h/db" }, "--database"},
		{"no data folder", func(c *Config) { c.Data = " " }, "--data"},
		{"mail server without sender", func(c *Config) { c.SMTPURL = "smtp://h" }, "without --mail-from"},
		{"sender without mail server", func(c *Config) { c.MailFrom = "a@example.org" }, "without --smtp-url"},
		{"mail server of another kind", func(c *Config) { c.SMTPURL, c.MailFrom = "http://u:hunter2@h", "a@example.org" }, "--smtp-url"},
		{"mail server unparsable", func(c *Config) { c.SMTPURL, c.MailFrom = "smtp://u:hunter2%zz@h", "a@example.org" }, "--smtp-url"},
		{"sender no address", func(c *Config) { c.SMTPURL, c.MailFrom = "smtp://h", "me" }, "--mail-from"},
		{"log format", func(c *Config) { c.LogFormat = "xml" }, "--log-format"},
		{"log level", func(c *Config) { c.LogLevel = "loud" }, "--log-level"},
		{"metrics", func(c *Config) { c.Metrics = "yes" }, "--metrics"},
		{"proxy", func(c *Config) { c.TrustedProxies = []string{"10.0.0.0/8", "proxy.example.org"} }, "--trusted-proxies"},
		{"administrator without password", func(c *Config) { c.AdminEmail = "a@example.org" }, "--admin-email is set without"},
		{"password without administrator", func(c *Config) { c.AdminPassword = "hunter2" }, "without --admin-email"},
		{"two passwords", func(c *Config) {
			c.AdminEmail, c.AdminPassword, c.AdminPasswordFile = "a@example.org", "hunter2", "f"
		}, "give one of them"},
		{"administrator no address", func(c *Config) { c.AdminEmail, c.AdminPassword = "root", "hunter2" }, "--admin-email \"root\""},
		{"alert body too small", func(c *Config) { c.MaxAlertBody = 1 }, "--max-alert-body"},
		{"more lines than anybody reads", func(c *Config) { c.MessageRate = 1e6 }, "--message-rate"},
		{"lines backwards", func(c *Config) { c.MessageRate = -1 }, "--message-rate"},
		{"upload too large", func(c *Config) { c.MaxUpload = 2 << 30 }, "--max-upload 2GiB"},
		{"no time to stop", func(c *Config) { c.ShutdownTimeout = 0 }, "--shutdown-timeout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := Default()
			c.set(&cfg)
			err := cfg.Validate()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("Validate = %v, want a sentence with %q", err, c.want)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "%!") {
				t.Errorf("Validate = %v: shows a secret, or is badly formatted", err)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("Validate = %v, want one sentence", err)
			}
		})
	}
	cfg := Default()
	cfg.Listen, cfg.LogLevel = "x", "y"
	if err := cfg.Validate(); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("Validate = %v, want both sentences", err)
	}
}

func TestComplete(t *testing.T) {
	for _, c := range []struct{ listen, public, want string }{
		{":8080", "", "http://localhost:8080"},
		{"0.0.0.0:9000", "", "http://localhost:9000"},
		{"[::]:9000", "", "http://localhost:9000"},
		{"127.0.0.1:80", "", "http://127.0.0.1"},
		{"[::1]:80", "", "http://[::1]"},
		{"[::1]:81", "", "http://[::1]:81"},
		{"watch.example.org:8080", "", "http://watch.example.org:8080"},
		{":8080", "https://watch.example.org/", "https://watch.example.org"},
	} {
		cfg := Default()
		cfg.Listen, cfg.PublicURL = c.listen, c.public
		got, err := cfg.Complete()
		if err != nil || got.PublicURL != c.want {
			t.Errorf("Complete with %q, %q: %q, %v, want %q", c.listen, c.public, got.PublicURL, err, c.want)
		}
	}
	cfg := Default()
	cfg.AdminEmail, cfg.AdminPasswordFile = "a@example.org", write(t, "hunter2 hunter2\n")
	if got, err := cfg.Complete(); err != nil || got.AdminPassword != "hunter2 hunter2" {
		t.Errorf("the password from the file: %q, %v", got.AdminPassword, err)
	}
	cfg.AdminPasswordFile = write(t, "\n")
	if _, err := cfg.Complete(); err == nil {
		t.Error("an empty password file is accepted")
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	cfg := Default()
	cfg.Database, cfg.SMTPURL, cfg.AdminPassword = "postgres://u:hunter2@db/w?password=hunter2", "smtp://u:hunter2@mail", "hunter2"
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("start", "config", cfg)
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("start", "config", cfg)
	for _, text := range []string{fmt.Sprint(cfg), fmt.Sprintf("%+v", cfg), fmt.Sprintf("%#v", cfg), fmt.Sprintf("%v", &cfg), logged.String()} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("a secret is shown: %s", text)
		}
		if !strings.Contains(text, "mail") {
			t.Errorf("nothing is shown: %s", text)
		}
	}
}

func TestProxies(t *testing.T) {
	cfg := Config{TrustedProxies: []string{"10.1.2.3/8", " 192.168.1.1 ", "::1", "nonsense"}}
	if got := fmt.Sprint(cfg.Proxies()); got != "[10.0.0.0/8 192.168.1.1/32 ::1/128]" {
		t.Errorf("Proxies = %s", got)
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{"0": 0, "500": 500, "64KiB": 64 << 10, "1 MiB": 1 << 20, "25mb": 25 << 20, "2G": 2 << 30, "7B": 7} {
		var got Size
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q = %d, %v, want %d", text, got, err, want)
		}
		var again Size
		if err := again.UnmarshalText([]byte(got.String())); err != nil || again != got {
			t.Errorf("%q is written %q and read back as %d, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1.5MiB", "99999999GiB", "1TiB"} {
		var got Size
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q = %d, want an error", text, got)
		}
	}
}
