package views

import (
	"strings"
	"time"

	"github.com/a-h/templ"
)

func logsPage(tab LogsTab) templ.Component {
	p := sampleStorePage("Bike Kitchen Utrecht", Degraded, TabLogs)
	p.Logs = &tab
	return Store(p)
}

func sampleLog() LogsTab {
	l := LogsTab{
		StoreID: "7", Known: true, Pod: "mariadb-0", Container: "mariadb", Times: true, Simulated: true, Silence: "No output yet.",
		Sources: []Choice{
			{Value: "mariadb-0/mariadb", Label: "mariadb-0 · mariadb", Selected: true},
			{Value: "wordpress-5d9c7c4b8f-x2x7k/install", Label: "wordpress-5d9c7c4b8f-x2x7k · install, first"},
			{Value: "wordpress-5d9c7c4b8f-x2x7k/wordpress", Label: "wordpress-5d9c7c4b8f-x2x7k · wordpress"},
		},
		Tails:  []Choice{{Value: "100", Label: "Last 100 lines"}, {Value: "500", Label: "Last 500 lines", Selected: true}},
		Stream: "/log-stream?of=mariadb-0%2Fmariadb", Last: "1-0", Download: "/stores/7/logs/download?of=mariadb-0%2Fmariadb",
	}
	for n, text := range []string{
		"WordPress 6.9 found in /var/www/html, nothing to copy", "GET /wp-login.php 302 118 ms", hostile, "\tat indented(code.js:1)", "",
		"Connected to mysql://shop:•••@mariadb/shop", "POST /checkout " + strings.Repeat("long", 60) + " " + strings.Repeat("word ", 60),
	} {
		l.Lines = append(l.Lines, LogLine{At: sampleTime.Add(time.Duration(n) * 1234 * time.Millisecond), Text: text})
	}
	l.Lines[1].Cut = 1_032_192
	l.Lines = append(l.Lines, LogLine{Text: "The container restarted.", Note: true}, LogLine{At: sampleTime, Text: "ready for connections"})
	return l
}

func waitingLog() LogsTab {
	l := sampleLog()
	l.Lines, l.Last, l.Silence = nil, "", "The log starts when the container starts."
	l.State = LogState{Tone: ToneWarn, Title: "The container has not started.", Message: "ImagePullBackOff: Back-off pulling image “mariadb:typo”: not found"}
	return l
}

func crashingLog() LogsTab {
	l := sampleLog()
	l.State = LogState{Tone: ToneBad, Title: "The container keeps crashing.", Message: "CrashLoopBackOff: back-off 20s restarting failed container. " + hostile}
	l.Previous, l.Times, l.Simulated, l.Stream = true, false, false, ""
	return l
}

func searchedLog() LogsTab {
	l := sampleLog()
	l.Search = "checkout"
	for n := range l.Lines {
		l.Lines[n].Hidden = !strings.Contains(l.Lines[n].Text, l.Search)
	}
	return l
}
