package httpd

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSecurityHeaders(t *testing.T) {
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
		"font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'; worker-src 'self'"
	always := map[string]string{
		"Content-Security-Policy":    policy,
		"X-Content-Type-Options":     "nosniff",
		"Referrer-Policy":            "same-origin",
		"Cross-Origin-Opener-Policy": "same-origin",
		"Cache-Control":              "private, no-cache",
		"Strict-Transport-Security":  "",
	}
	for _, c := range []struct {
		name   string
		public string
		path   string
		change map[string]string
	}{
		{"http", "http://watch.example", "/", nil},
		{"https", "https://watch.example", "/", map[string]string{"Strict-Transport-Security": "max-age=31536000"}},
		{"a page with pictures", "http://watch.example", "/pictures", map[string]string{
			"Content-Security-Policy": strings.Replace(policy, "data:;", "data: https://grafana.example http://10.0.0.1:3000;", 1)}},
		{"an error", "http://watch.example", "/nothing", map[string]string{"Cache-Control": "no-store"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			public, err := url.Parse(c.public)
			if err != nil {
				t.Fatal(err)
			}
			mux := http.NewServeMux()
			mux.Handle("GET /{$}", Adapter{Log: quiet}.Handle(hello))
			mux.Handle("GET /pictures", Adapter{Log: quiet}.Handle(func(w http.ResponseWriter, r *http.Request) error {
				AllowImages(w.Header(), []string{"https://grafana.example", "http://10.0.0.1:3000"})
				return hello(w, r)
			}))
			h, err := Handler(mux, Options{Log: quiet, PublicURL: public})
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, c.path, http.NoBody))
			want, got := map[string]string{}, map[string]string{}
			for name, value := range always {
				want[name], got[name] = value, w.Header().Get(name)
			}
			maps.Copy(want, c.change)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCrossSite(t *testing.T) {
	public := &url.URL{Scheme: "https", Host: "watch.example"}
	h := shell(t, Options{PublicURL: public, CrossSiteExempt: []string{"POST /integrations/"}}, map[string]HandlerFunc{
		"GET /x":              hello,
		"POST /x":             hello,
		"POST /api/v1/x":      hello,
		"POST /integrations/": hello,
	})
	for _, c := range []struct {
		name, method, path string
		header             map[string]string
		status             int
	}{
		{"our own page", "POST", "/x", map[string]string{"Sec-Fetch-Site": "same-origin"}, 200},
		{"typed by hand", "POST", "/x", map[string]string{"Sec-Fetch-Site": "none"}, 200},
		{"another site", "POST", "/x", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403},
		{"a sibling host", "POST", "/x", map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "https://blog.example"}, 403},
		{"another site reads", "GET", "/x", map[string]string{"Sec-Fetch-Site": "cross-site"}, 200},
		{"an old browser on another site", "POST", "/x", map[string]string{"Origin": "https://evil.example"}, 403},
		{"an old browser, sandboxed", "POST", "/x", map[string]string{"Origin": "null"}, 403},
		{"an old browser behind a proxy that rewrites Host", "POST", "/x", map[string]string{"Origin": "https://watch.example"}, 200},
		{"no browser", "POST", "/x", nil, 200},
		{"an intake", "POST", "/integrations/generic/1", map[string]string{"Sec-Fetch-Site": "cross-site"}, 200},
		{"the API with a cookie", "POST", "/api/v1/x", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"the API with a token", "POST", "/api/v1/x", map[string]string{"Sec-Fetch-Site": "cross-site", "Authorization": "Bearer t"}, 200},
		{"a page with a token and somebody's cookie", "POST", "/x", map[string]string{"Origin": "https://evil.example", "Authorization": "Bearer t", "Cookie": "watchroom=s"}, 403},
		{"our own page behind a proxy that adds a token", "POST", "/x", map[string]string{"Origin": "https://watch.example", "Authorization": "Bearer t", "Cookie": "watchroom=s"}, 200},
		{"a program with a token and a cookie", "POST", "/api/v1/x", map[string]string{"Authorization": "Bearer t", "Cookie": "watchroom=s"}, 200},
		{"an empty token", "POST", "/api/v1/x", map[string]string{"Sec-Fetch-Site": "cross-site", "Authorization": "Bearer "}, 403},
		{"a password browsers send by themselves", "POST", "/api/v1/x", map[string]string{"Sec-Fetch-Site": "cross-site", "Authorization": "Basic x"}, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, "http://10.0.0.5:8080"+c.path, http.NoBody)
			for name, value := range c.header {
				r.Header.Set(name, value)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.status {
				t.Errorf("%s %s %v = %d, want %d: %s", c.method, c.path, c.header, w.Code, c.status, w.Body)
			}
		})
	}
}

func TestLimitBody(t *testing.T) {
	h := shell(t, Options{BodyLimit: func(r *http.Request) int64 {
		if r.URL.Path == "/api/up" {
			return 100
		}
		return 10
	}}, map[string]HandlerFunc{"POST /api/": func(w http.ResponseWriter, r *http.Request) error {
		body, err := ReadBody(r)
		if err != nil {
			return err
		}
		_, err = w.Write(body)
		return err
	}})
	server := httptest.NewServer(h)
	defer server.Close()
	for _, c := range []struct {
		path   string
		size   int
		status int
	}{
		{"/api/x", 0, 200},
		{"/api/x", 10, 200},
		{"/api/x", 11, 413},
		{"/api/x", 1 << 20, 413},
		{"/api/up", 100, 200},
		{"/api/up", 101, 413},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+c.path, strings.NewReader(strings.Repeat("x", c.size)))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != c.status {
			t.Errorf("POST %s with %d bytes = %d, want %d", c.path, c.size, resp.StatusCode, c.status)
		}
	}
}

func TestClientAddr(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		name, remote string
		forwarded    []string
		trusted      []netip.Prefix
		want         string
	}{
		{"direct", "203.0.113.7:1234", nil, proxies, "203.0.113.7"},
		{"direct IPv6", "[2001:db8::1]:1234", nil, proxies, "2001:db8::1"},
		{"mapped", "[::ffff:203.0.113.7]:1", nil, proxies, "203.0.113.7"},
		{"a stranger claims to be a proxy", "203.0.113.7:1", []string{"1.2.3.4"}, proxies, "203.0.113.7"},
		{"nobody is trusted", "10.0.0.1:1", []string{"1.2.3.4"}, nil, "10.0.0.1"},
		{"one proxy", "10.0.0.1:1", []string{"1.2.3.4"}, proxies, "1.2.3.4"},
		{"two proxies", "10.0.0.1:1", []string{"1.2.3.4, 10.0.0.2"}, proxies, "1.2.3.4"},
		{"two header lines", "10.0.0.1:1", []string{"1.2.3.4", "10.0.0.2"}, proxies, "1.2.3.4"},
		{"the client wrote the first ones", "10.0.0.1:1", []string{"6.6.6.6, 1.2.3.4"}, proxies, "1.2.3.4"},
		{"only proxies", "10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, proxies, "10.0.0.3"},
		{"a proxy says nothing", "10.0.0.1:1", nil, proxies, "10.0.0.1"},
		{"a proxy says nonsense", "10.0.0.1:1", []string{"1.2.3.4, unknown"}, proxies, "10.0.0.1"},
		{"with a port", "10.0.0.1:1", []string{"1.2.3.4:99"}, proxies, "1.2.3.4"},
		{"IPv6 in brackets", "[fd00::1]:1", []string{"[2001:db8::2]:99"}, proxies, "2001:db8::2"},
		{"IPv6 bare", "[fd00::1]:1", []string{"2001:db8::2"}, proxies, "2001:db8::2"},
		{"a socket without addresses", "@", nil, proxies, "invalid IP"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
			r.RemoteAddr = c.remote
			for _, line := range c.forwarded {
				r.Header.Add("X-Forwarded-For", line)
			}
			var got netip.Addr
			Observe(quiet, c.trusted)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				got = ClientAddr(r)
			})).ServeHTTP(httptest.NewRecorder(), r)
			if got.String() != c.want {
				t.Errorf("ClientAddr = %s, want %s", got, c.want)
			}
		})
	}
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	if got := ClientAddr(r); got.String() != "192.0.2.1" || RequestID(r.Context()) != "" {
		t.Errorf("outside of the shell: %s, %q", got, RequestID(r.Context()))
	}
}
