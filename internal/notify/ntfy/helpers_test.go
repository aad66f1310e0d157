package ntfy_test

import (
	"bytes"
	"io"
	"net/http"
)

// canned answers every request alike, without a connection.
type canned struct {
	status int
	body   []byte
}

func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: c.status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(c.body))}, nil
}
