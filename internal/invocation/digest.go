package invocation

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
)

// Digest is the same for two commands exactly when they would do the same: the
// command and its version, what its arguments mean, and what it acts on. What
// somebody has agreed to is compared by it with what would run. Of arguments
// that are secret only the names are part of it: a digest is kept, and a short
// secret could be guessed from it.
func Digest(commandID, version string, args map[string]string, lock string, dryRun bool, secrets ...string) string {
	names := slices.Clone(secrets)
	slices.Sort(names)
	// Of a map JSON writes the keys in order, so one text stands for one command.
	text, err := json.Marshal([]any{commandID, version, args, lock, dryRun, names})
	if err != nil {
		panic(err) // strings can always be written
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// OutputDigest is what the audit keeps of an output.
func OutputDigest(output string) string {
	sum := sha256.Sum256([]byte(output))
	return hex.EncodeToString(sum[:])
}
