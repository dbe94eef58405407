package handlers

import "strings"

// sign is a part of a user agent and the name of the browser or system that it stands for.
type sign struct{ part, name string }

// browsers are ordered so that a browser comes before those whose names its user agent also contains.
func browsers() []sign {
	return []sign{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Vivaldi/", "Vivaldi"},
		{"FxiOS/", "Firefox"}, {"Firefox/", "Firefox"}, {"CriOS/", "Chrome"}, {"Chrome/", "Chrome"},
		{"Safari/", "Safari"}, {"curl/", "curl"},
	}
}

func systems() []sign {
	return []sign{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"CrOS", "ChromeOS"},
		{"Windows", "Windows"}, {"Macintosh", "macOS"}, {"Linux", "Linux"},
	}
}

// device describes a user agent: the browser, and the system that it runs on.
func device(userAgent string) string {
	browser, system := meaning(userAgent, browsers()), meaning(userAgent, systems())
	switch {
	case browser == "" && system == "":
		return "Unknown browser"
	case browser == "":
		return "Unknown browser on " + system
	case system == "":
		return browser
	}
	return browser + " on " + system
}

func meaning(userAgent string, signs []sign) string {
	for _, s := range signs {
		if strings.Contains(userAgent, s.part) {
			return s.name
		}
	}
	return ""
}
