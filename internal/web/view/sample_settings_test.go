package view

import (
	"github.com/a-h/templ"

	"github.com/watchroom/watchroom/internal/story"
)

// settingsGallery is the pages about commands, retention and second factors.
func settingsGallery() map[string]templ.Component {
	page := samplePage("Settings", "settings")
	kept := Retention{Page: page, RanAt: ago(2 * 3600e9), LastAt: ago(26 * 3600e9), Last: []story.Part{{Text: "Removed 1,204 messages and 3 files"}}}
	for _, name := range []string{"messages", "incidents", "entries", "deliveries", "outputs", "commands"} {
		kept.Classes = append(kept.Classes, RetentionClass{Name: name, Days: "90", Oldest: ago(400 * 24 * 3600e9)})
	}
	asked, wrong := kept, kept
	asked.Asked, asked.Sure, asked.AtLeast = true, "0,0,0,0,30,0", true
	asked.Would = []RetentionCount{{What: "messages", N: 1204}, {What: "files", N: 3, Bytes: 5 << 20}}
	wrong.Errors = map[string]string{"messages": "Between 1 and 36,500 days, or empty."}
	nothing := kept
	nothing.Asked, nothing.RanAt = true, nothing.RanAt.AddDate(-9, 0, 0)
	job := Job{
		Page: page, Row: JobRow{Number: 34, Line: "deploy shop prod --reason=\"" + longWord + "\"", By: "Kim Sørensen", State: "awaiting_approval", Status: "waits for approval", At: ago(60e9)},
		Rule: "require approval(release, peer) for deploy when env == \"prod\"", Room: "#deploys", Output: "`" + longWord + "`", Fields: []FieldValue{{"app", "shop"}, {"note", longWord}},
		Events:  []JobEvent{{At: ago(60e9), What: "received", By: "Kim Sørensen", Detail: longWord, Hash: "0c8431fbe6f9"}},
		Actions: []JobAction{{Name: "approve", Label: "Approve", Look: "primary"}, {Name: "deny", Label: "Deny", Look: "danger"}},
	}
	code := LoginCode{Page: Page{Title: "Sign in", Viewer: Viewer{OrgName: "Harbour Light"}}, Email: "kim@example.org"}
	wrongCode := code
	wrongCode.Error = "This code is not right."
	setup := FactorSetup{Page: page, Secret: "ABCD EFGH IJKL MNOP", URI: "otpauth://totp/x", Path: "M0 0h7v7h-7z", Size: 21, Account: "kim@example.org"}
	forced := setup
	forced.Forced, forced.Error = true, "This code is not right."
	step := StepUp{Page: page, Has: true, What: "invocation", Number: "34", Line: job.Row.Line, By: "Kim Sørensen", Fields: job.Fields, Next: "/"}
	none, late := step, step
	none.Has = false
	late.Over, late.OverURL = "Somebody has denied it.", "/jobs/34"
	return map[string]templ.Component{
		"retention":         RetentionPage(kept),
		"retention-would":   RetentionPage(asked),
		"retention-nothing": RetentionPage(nothing),
		"retention-wrong":   RetentionPage(wrong),
		"jobs":              JobsPage(JobList{Page: page, Rows: []JobRow{job.Row}, Locks: []LockRow{{Name: "deploy/shop/prod", Owner: "Kim Sørensen", Since: ago(60e9)}}}),
		"jobs-none":         JobsPage(JobList{Page: page}),
		"job":               JobPage(job),
		"factor-setup":      FactorSetupPage(setup),
		"factor-forced":     FactorSetupPage(forced),
		"factor-codes":      RecoveryCodesPage(RecoveryCodes{Page: page, New: true, Codes: []string{"abcd-efgh", "ijkl-mnop"}, Next: "/"}),
		"factor-login":      LoginCodePage(code),
		"factor-wrong":      LoginCodePage(wrongCode),
		"factor-step":       StepUpPage(step),
		"factor-step-none":  StepUpPage(none),
		"factor-step-late":  StepUpPage(late),
	}
}

// longWord has no place to break.
const longWord = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08-sha256:9f86d081884c7d659a2feaa0c55ad015"
