package escalation

import "github.com/watchroom/watchroom/internal/people"

// Duration is written "90s", "5m" or "1h30m" in JSON and YAML.
type Duration = people.Duration
