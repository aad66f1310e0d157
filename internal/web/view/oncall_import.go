package view

// ImportForm lays the shifts of another calendar over a rotation.
type ImportForm struct {
	Page           Page
	Rotation, Href string
	Zone           string
	Layers         []Option
	Error          string
	Calendar       string      // what was uploaded, to be sent again
	Plan           *ImportPlan // what would come of it; nil before there is a calendar
}

// ImportPlan is what an import would do. The rows may be fewer than the numbers say.
type ImportPlan struct {
	Made, Same, Unmatched   int
	MadeRows, UnmatchedRows []ChangeRow
}

// on counts a kind of shifts of the plan in words.
func (p ImportPlan) on(key string, count int) string { return otN("import."+key, count) }
