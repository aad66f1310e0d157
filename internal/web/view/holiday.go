package view

// Holidays is which public holidays come, and who is on call on them.
type Holidays struct {
	Page      Page
	Tabs      []Tab
	CanEdit   bool
	Ahead     []HolidayRow
	Calendars []HolidayCalendarRow
	Form      HolidayForm
}

// HolidayRow is one day.
type HolidayRow struct {
	Date   string // "2026-12-25"
	Label  string // in full
	Names  []string
	Duties []HolidayDuty // who has it by the rota, and nobody has arranged it
}

// HolidayDuty is somebody's duty on it.
type HolidayDuty struct {
	Name, Rotation, When string
	Href                 string // finds cover; "" when not offered
}

// HolidayCalendarRow are the public holidays of a region.
type HolidayCalendarRow struct {
	ID, Name, Team string
	Days           string // how many, and the last that is known
}

// HolidayForm takes a calendar of public holidays.
type HolidayForm struct {
	Name, Team, Text, Error string
	Teams                   []Option
	Errors                  map[string]string
}
