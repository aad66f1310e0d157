package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/orghttp"
	"github.com/watchroom/watchroom/internal/phrase"
)

// remoteTimeout is for a whole request; applying takes a transaction or two.
const remoteTimeout = time.Minute

// remote is a running server that is worked on over HTTP.
type remote struct {
	URL   string `name:"url" help:"Work on the server with this address instead of on the store." env:"WATCHROOM_URL" placeholder:"URL"`
	Token string `help:"API token for --url; for apply and export an administrator's. Better given in the environment." env:"WATCHROOM_TOKEN" placeholder:"TOKEN"`
}

func (r remote) given() bool { return r.URL != "" }

func (r remote) apply(ctx context.Context, q orghttp.Request, o orghttp.Options) (orghttp.Result, error) {
	var result orghttp.Result
	body, err := json.Marshal(q)
	if err != nil {
		return result, fmt.Errorf("write request: %w", err)
	}
	query := url.Values{}
	for name, on := range map[string]bool{"dry_run": o.DryRun, "prune": o.Prune, "no_invite": o.NoInvite} {
		if on {
			query.Set(name, strconv.FormatBool(on))
		}
	}
	answer, err := r.do(ctx, http.MethodPost, "/api/v1/org/apply?"+query.Encode(), body)
	if err != nil {
		return result, err
	}
	if err := json.Unmarshal(answer, &result); err != nil {
		return result, fmt.Errorf("read the answer of %s: %w", r.URL, err)
	}
	return result, nil
}

func (r remote) export(ctx context.Context) ([]byte, error) {
	return r.do(ctx, http.MethodGet, "/api/v1/org/export", nil)
}

func (r remote) do(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	if r.Token == "" {
		return nil, errors.New(phrase.T("cli.remote.token"))
	}
	ctx, cancel := context.WithTimeout(ctx, remoteTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(r.URL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("--url: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+r.Token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the server: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", r.URL, err)
	}
	if resp.StatusCode/100 != 2 {
		return nil, refusal(resp.Status, answer)
	}
	return answer, nil
}

// refusal is the server's sentence, when it has one.
func refusal(status string, answer []byte) error {
	var problem struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(answer, &problem) == nil && problem.Detail != "" {
		return errors.New(problem.Detail)
	}
	return errors.New(phrase.T("cli.remote.refused", status))
}
