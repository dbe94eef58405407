package store

import "time"

// TeamInfo is a team with the numbers of its members and stores.
type TeamInfo struct {
	Team
	Members   int
	Stores    int // living
	CreatedAt time.Time
}

// TeamMember is somebody in a team.
type TeamMember struct {
	UserID string
	Name   string
	Email  string // only for those who manage members
	Role   Role
	Since  time.Time
}
