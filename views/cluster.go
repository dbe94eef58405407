package views

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

func clusterLook(c Cluster) look {
	switch c.Link {
	case ClusterStarting, ClusterConnecting:
		return look{glyph: glyphLoader, class: "sw-st-run", spins: true}
	case ClusterUnreachable:
		return look{glyph: glyphCloudOff, class: "sw-st-bad"}
	case ClusterForeign:
		return look{glyph: glyphOctagon, class: "sw-st-bad"}
	case ClusterConnected:
		if c.Simulated {
			return look{glyph: glyphFlask, class: "sw-st-off"}
		}
		return look{glyph: glyphCheckCircle, class: "sw-st-ok"}
	default:
		return look{glyph: glyphCloudOff, class: "sw-st-off"}
	}
}

// clusterWord returns the state in two or three words.
func clusterWord(c Cluster) string {
	switch c.Link {
	case ClusterStarting:
		return "Cluster starting"
	case ClusterConnecting:
		return "Connecting"
	case ClusterUnreachable:
		return cmp.Or(c.Name, "Cluster") + " unreachable"
	case ClusterForeign:
		return "Wrong cluster"
	case ClusterConnected:
		if c.Simulated {
			return "Simulated cluster"
		}
		return cmp.Or(c.Name, "Cluster") + " connected"
	default:
		return "No cluster"
	}
}

// clusterTitle returns the state with the cluster's name and version.
func clusterTitle(c Cluster) string {
	title := clusterWord(c)
	if c.Name != "" {
		title += " · " + c.Name
	}
	if c.Version != "" {
		title += " · Kubernetes " + c.Version
	}
	return title
}

func clusterName(c Cluster) string { return cmp.Or(c.Name, "the cluster") }

func clusterProgress(c Cluster) string { return fmt.Sprintf("%d of %d", c.Done, c.Total) }

// ClusterCapacity is what the nodes of a cluster can allocate to stores, and what is requested of it.
type ClusterCapacity struct {
	Unknown string // why there are no figures; empty if there are
	Nodes   int    // that accept pods of stores
	CPU     Share
	Memory  Share
	Waiting int // pods without a node
	Room    []EngineRoom
	At      time.Time
}

// Share is the requested part of a resource.
type Share struct {
	Text    string // such as 1.9 of 2 CPU
	Percent int
}

// EngineRoom is how many more stores of an engine fit.
type EngineRoom struct {
	Engine string
	Stores int  // estimate
	More   bool // whether more than that fit
}

// nearlyFull is the number of further stores at which the cluster counts as nearly full.
const nearlyFull = 2

// roomLevel says how full the nodes are; it is empty while there is room.
func roomLevel(room []EngineRoom) string {
	full, nearly := len(room) > 0, false
	for _, r := range room {
		full, nearly = full && r.Stores == 0, nearly || r.Stores <= nearlyFull
	}
	switch {
	case full:
		return "Full"
	case nearly:
		return "Nearly full"
	default:
		return ""
	}
}

// roomText says how many more stores of each engine fit.
func roomText(room []EngineRoom) string {
	var fit, none []string
	for _, r := range room {
		switch {
		case r.Stores == 0:
			none = append(none, r.Engine)
		case r.More:
			fit = append(fit, fmt.Sprintf("over %d more %s stores", r.Stores, r.Engine))
		default:
			fit = append(fit, "about "+count(r.Stores, "more "+r.Engine+" store", "more "+r.Engine+" stores"))
		}
	}
	var text []string
	if len(fit) > 0 {
		text = append(text, "Room for "+strings.Join(fit, ", or ")+".")
	}
	if len(none) > 0 {
		text = append(text, "No room for another "+strings.Join(none, " or ")+" store.")
	}
	return strings.Join(text, " ")
}
