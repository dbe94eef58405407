package views

// activityDay is the activity of one day.
type activityDay struct {
	title   string
	entries []Entry
}

// byDay groups entries, which come newest first, by UTC day.
func byDay(entries []Entry) []activityDay {
	var days []activityDay
	for _, e := range entries {
		title := day(e.At)
		if len(days) == 0 || days[len(days)-1].title != title {
			days = append(days, activityDay{title: title})
		}
		last := &days[len(days)-1]
		last.entries = append(last.entries, e)
	}
	return days
}

// entryLook shows how an entry ended or, if it has no result, what it is about.
func entryLook(e Entry) look {
	l := noteLook(e.Tone)
	if e.Tone != TonePlain && e.Tone != "" {
		return l
	}
	switch e.Kind {
	case EntryStore:
		l.glyph = glyphStore
	case EntryRetry:
		l.glyph = glyphRetry
	case EntryDelete:
		l.glyph = glyphTrash
	case EntryLogin:
		l.glyph = glyphEye
	case EntrySign:
		l.glyph = glyphLogOut
	case EntryTeam:
		l.glyph = glyphUsers
	}
	return l
}
