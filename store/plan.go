package store

import (
	"regexp"
	"strings"
	"time"
)

// Plan is how many stores a team may have, how much of its cluster each of them may take, and how they
// are backed up.
type Plan struct {
	Name     string // in records and settings; never changes
	Label    string // for people
	Position int    // in lists, from small to large
	Stores   int    // living, of one team; zero for no limit of the plan's own
	CPU      int    // thousandths of a processor
	Memory   int    // MiB
	Disk     int    // MiB
	Pods     int
	// BackupEvery is how often its stores are backed up by the platform, in hours; zero for never.
	BackupEvery int
	Keep        PointRetention // of its stores' restore points
	// DrillEvery is how often the restore of its stores is rehearsed, in days; zero for never.
	DrillEvery int
	UpdatedAt  time.Time
}

// StandardPlan is the plan of teams that were given none, unless the installation names
// another.
const StandardPlan = "standard"

var planName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

// The most that a figure of a plan may be: far beyond what a cluster has, and far below what
// Kubernetes cannot reckon with.
const (
	mostStores = 1_000_000
	mostCPU    = 1_000_000        // a thousand processors
	mostMemory = 16 * 1024 * 1024 // 16 TiB
	mostDisk   = 1024 * 1024 * 1024
	mostPods   = 10_000
	mostHours  = 720   // between two backups: 30 days
	mostKept   = 1_000 // restore points of a kind
	mostDays   = 90    // between two drills
)

// Validate refuses what no store could live in, at the field.
func (p Plan) Validate() (Plan, error) {
	p.Label = strings.Join(strings.Fields(p.Label), " ")
	switch {
	case !planName.MatchString(p.Name):
		return p, Invalidf("name", "Use lowercase letters, digits and dashes, at most 40, for example large.")
	case p.Label == "" || len([]rune(p.Label)) > 40:
		return p, Invalidf("label", "Enter a label with at most 40 characters.")
	case p.Stores < 0 || p.Stores > mostStores:
		return p, Invalidf("stores", "Enter a number of stores from 0 (no limit) to %d.", mostStores)
	case p.CPU < 1 || p.CPU > mostCPU:
		return p, Invalidf("cpu", "Enter a number of CPUs, such as 2 or 0.5, up to %d.", mostCPU/1000)
	case p.Memory < 1 || p.Memory > mostMemory:
		return p, Invalidf("memory", "Enter the memory in GiB, such as 8 or 0.5, up to %d.", mostMemory/1024)
	case p.Disk < 1 || p.Disk > mostDisk:
		return p, Invalidf("disk", "Enter the disk in GiB, such as 20 or 0.5, up to %d.", mostDisk/1024)
	case p.Pods < 1 || p.Pods > mostPods:
		return p, Invalidf("pods", "Enter a number of pods from 1 to %d.", mostPods)
	case p.BackupEvery < 0 || p.BackupEvery > mostHours:
		return p, Invalidf("backup_every", "Enter a number of hours from 0 (never) to %d.", mostHours)
	case p.DrillEvery < 0 || p.DrillEvery > mostDays:
		return p, Invalidf("drill_every", "Enter a number of days from 0 (never) to %d.", mostDays)
	}
	return p, p.Keep.validate()
}

// Figures are what the audit log keeps of a plan, in the units of a [Plan].
type Figures struct {
	Label  string `json:"label"`
	Stores int    `json:"stores"`
	CPU    int    `json:"cpu"`
	Memory int    `json:"memory"`
	Disk   int    `json:"disk"`
	Pods   int    `json:"pods"`

	BackupEvery int            `json:"backup_every,omitempty"`
	Keep        PointRetention `json:"keep,omitzero"`
	DrillEvery  int            `json:"drill_every,omitempty"`
}

// Figures are those of the plan.
func (p Plan) Figures() Figures {
	return Figures{
		Label: p.Label, Stores: p.Stores, CPU: p.CPU, Memory: p.Memory, Disk: p.Disk, Pods: p.Pods, BackupEvery: p.BackupEvery, Keep: p.Keep, DrillEvery: p.DrillEvery,
	}
}
