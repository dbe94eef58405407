package store

import (
	"fmt"
	"time"
)

// Limits bound how many stores there may be, beside what the team's plan says, and how fast
// they may be made. Zero means no limit.
type Limits struct {
	Stores        int  // living, of everybody
	StoresPerUser int  // living, in all teams of which the user is an owner
	Creates       Rate // by one user; what was deleted meanwhile counts
}

// Quota is one of the limits for a new store, and how much of it is used.
type Quota struct {
	Of      QuotaOf
	Owner   string // by name, of what is counted for an owner who is somebody else
	Used    int
	Allowed int // zero for no limit
	Refusal string
}

// QuotaOf says whose stores a quota counts.
type QuotaOf string

// What is counted.
const (
	QuotaOfYou          QuotaOf = "you"
	QuotaOfOwner        QuotaOf = "owner"
	QuotaOfTeam         QuotaOf = "team"
	QuotaOfInstallation QuotaOf = "installation"
)

// Full reports whether nothing is left.
func (q Quota) Full() bool { return q.Allowed > 0 && q.Used >= q.Allowed }

// Narrowest returns the quota that is reached first, which is that of the owner as long as
// nothing is limited.
func Narrowest(quotas []Quota) Quota {
	var narrowest Quota
	for i, q := range quotas {
		left := q.Allowed - q.Used
		if i == 0 || q.Allowed > 0 && (narrowest.Allowed == 0 || left < narrowest.Allowed-narrowest.Used) {
			narrowest = q
		}
	}
	return narrowest
}

// Pace is how fast somebody creates stores, and may.
type Pace struct {
	Rate Rate
	Used int           // of its times, within its time
	Wait time.Duration // until another can be created; zero if that is now
}

// Refusal says why no other store can be created now, and is empty if one can.
func (p Pace) Refusal() string {
	if p.Wait <= 0 {
		return ""
	}
	return fmt.Sprintf("You created %s, which is the limit. Try again %s.", p.Rate.Of("store"), Wait(p.Wait))
}
