package victorops

import "strings"

// masked stands where a secret was.
const masked = "***"

// secretNames are the members that carry a key, at any depth of a body and in any case.
var secretNames = [...]string{"VO_ORGANIZATION_KEY", "_CONTACTVO_ORGANIZATION_KEY", "api_key"}

func secret(name string) bool {
	for _, s := range secretNames {
		if len(s) == len(name) && strings.EqualFold(s, name) {
			return true
		}
	}
	return false
}

// mask removes the secrets from a valid JSON text: the values of secret
// members, and the key wherever else it stands.
func mask(raw, key string) string {
	var b strings.Builder
	done := 0
	for i := 0; i < len(raw); {
		quote := strings.IndexByte(raw[i:], '"')
		if quote < 0 {
			break
		}
		start := i + quote
		end := stringEnd(raw, start)
		i = end
		// Between strings a colon can only follow a member's name.
		colon := skipSpace(raw, end)
		if colon == len(raw) || raw[colon] != ':' || !secret(unquote(raw[start:end], "")) {
			continue
		}
		value := skipSpace(raw, colon+1)
		b.WriteString(raw[done:value])
		b.WriteString(`"` + masked + `"`)
		i = valueEnd(raw, value)
		done = i
	}
	if done > 0 {
		b.WriteString(raw[done:])
		raw = b.String()
	}
	return maskKey(raw, key)
}

// maskKey hides key in s: people put the address they post to into messages
// and runbook links. It looks only for what is long enough to be a secret and
// plain enough to stand in an address; such a key is never a piece of JSON.
func maskKey(s, key string) string {
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	if len(key) < 16 || strings.Trim(key, unreserved) != "" {
		return s
	}
	return strings.ReplaceAll(s, key, masked)
}
