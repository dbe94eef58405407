package views

import (
	"cmp"
	"fmt"
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

// clusterWord is the state in two or three words.
func clusterWord(c Cluster) string {
	switch c.Link {
	case ClusterStarting:
		return "Cluster starting"
	case ClusterConnecting:
		return "Connecting"
	case ClusterUnreachable:
		return cmp.Or(c.Name, "Cluster") + " unreachable"
	case ClusterForeign:
		return "Another cluster"
	case ClusterConnected:
		if c.Simulated {
			return "Simulated cluster"
		}
		return cmp.Or(c.Name, "Cluster") + " connected"
	default:
		return "No cluster"
	}
}

// clusterTitle is the state with the cluster's name and version.
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
