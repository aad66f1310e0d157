package timeline

// Removal is how much retention has removed in one run.
type Removal struct {
	Messages   int   `json:"messages,omitempty"`
	Entries    int   `json:"entries,omitempty"` // other lines
	Incidents  int   `json:"incidents,omitempty"`
	Alerts     int   `json:"alerts,omitempty"`
	Files      int   `json:"files,omitempty"`
	Bytes      int64 `json:"bytes,omitempty"` // of files
	Deliveries int   `json:"deliveries,omitempty"`
	Outputs    int   `json:"outputs,omitempty"`
	Commands   int   `json:"commands,omitempty"`
	Events     int   `json:"events,omitempty"` // of the audit of commands
}

// Kind implements Payload.
func (Removal) Kind() Kind { return RecordsRemoved }
