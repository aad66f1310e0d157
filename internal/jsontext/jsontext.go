// Package jsontext changes the texts in JSON (RFC 8259) and nothing else of it:
// placeholders in a template, secrets in what a command says. A text is changed as
// it is read and written anew, so that nothing in it can break out of its place.
package jsontext

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// Replace returns one JSON value with f applied to every text that is a value;
// names of members stay, and numbers keep their digits. Members come in the order
// of their names, and no letter is escaped that need not be. Anything but one value
// is an error.
func Replace(value []byte, f func(string) string) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the value")
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(replaced(v, f))
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func replaced(v any, f func(string) string) any {
	switch v := v.(type) {
	case string:
		return f(v)
	case []any:
		for i := range v {
			v[i] = replaced(v[i], f)
		}
	case map[string]any:
		for name := range v {
			v[name] = replaced(v[name], f)
		}
	}
	return v
}
