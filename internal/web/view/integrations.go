package view

import "time"

// IntegrationList is every way alerts come in.
type IntegrationList struct {
	Page   Page
	Rows   []IntegrationRow
	Name   string // of a new one, as typed
	Errors map[string]string
	Hubot  string // the lines that start one
}

// IntegrationRow is one integration in the list.
type IntegrationRow struct {
	Name   string
	Href   string
	Off    bool
	LastAt time.Time
	Last   string // title of the last alert
}

// IntegrationPageModel is one integration: where to send, how to try it, what came.
type IntegrationPageModel struct {
	Page   Page
	ID     string
	Name   string
	Off    bool
	Keys   []Option // routing keys; the first is none
	Key    string   // the chosen one
	Lost   bool     // its key cannot be read any more; there is no address to show
	URL    string
	Curl   string
	YAML   string // for Alertmanager
	Tested TestResult
	Alerts []ReceivedAlert
	Errors map[string]string
}

func (i IntegrationPageModel) action(what string) string { return "/integrations/" + i.ID + what }

// TestResult is what became of a test alert.
type TestResult struct {
	Done     bool
	Incident int64 // 0: none was opened
}

// ReceivedAlert is one received alert.
type ReceivedAlert struct {
	Number     int64
	At         time.Time
	Type       string // "critical", …
	Title      string
	Entity     string
	RoutingKey string
	Incident   int64
	Raw        string
}
