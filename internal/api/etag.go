package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// etag names the state an object is in: it changes when any of it changes, and
// with nothing else.
func etag(object any) string {
	body, err := json.Marshal(object)
	if err != nil {
		return "" // the objects are plain values and always marshal; without a tag nothing matches
	}
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:10]) + `"`
}

// unchanged fails when the sender saw another state than the object is in.
func unchanged(ifMatch string, object any) error {
	if ifMatch == "" {
		return nil
	}
	current := etag(object)
	for tag := range strings.SplitSeq(ifMatch, ",") {
		// Compression on the way marks a tag as weak; the state it names is the same.
		if tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/"); tag == "*" || tag == current {
			return nil
		}
	}
	return preconditionFailed(current)
}
