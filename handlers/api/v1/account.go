package v1

import (
	"time"

	"shopwright.dev/shopwright/store"
)

// Engine is a kind of shop.
type Engine struct {
	Name        string     `json:"name"`
	Label       string     `json:"label"`
	Description string     `json:"description"`
	Templates   []Template `json:"templates" nullable:"false"`
}

// Template is what a shop can begin with.
type Template struct {
	Name        string `json:"name" example:"demo"`
	Label       string `json:"label" example:"Demo catalogue"`
	Description string `json:"description"`
}

// Country is where a shop can be.
type Country struct {
	Code     string `json:"code" example:"DE"`
	Name     string `json:"name" example:"Germany"`
	Currency string `json:"currency" example:"EUR" doc:"Currency of the country."`
}

// Me is whose token this is.
type Me struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
	Admin bool   `json:"admin" doc:"Whether the user is an administrator of the installation."`
	Team  Team   `json:"team"`
	Token Token  `json:"token"`

	Quotas []Quota `json:"quotas,omitempty" nullable:"false" doc:"Limits that apply to a new store, if the token can create one."`
	Pace   *Pace   `json:"pace,omitempty" doc:"Rate limit for creating stores, if there is one."`
}

// Quota is how many stores there are of those whom it counts, and may be.
type Quota struct {
	Of      store.QuotaOf `json:"of" enum:"you,owner,team,installation" doc:"Whose stores are counted: yours, another owner’s, the team’s, or all in the installation."`
	Owner   string        `json:"owner,omitempty" doc:"Name of that owner."`
	Used    int           `json:"used"`
	Allowed int           `json:"allowed,omitempty" doc:"Absent if there is no limit."`
}

// Pace is how fast somebody creates stores, and may.
type Pace struct {
	Times         int     `json:"times" doc:"Stores allowed."`
	WithinSeconds float64 `json:"within_seconds"`
	Used          int     `json:"used" doc:"Stores created within that time."`
	RetryAfter    int     `json:"retry_after,omitempty" doc:"Seconds until another store can be created; absent if one can be created now."`
}

// Team is a group of people who share stores.
type Team struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	Personal bool       `json:"personal"`
	Role     store.Role `json:"role" enum:"owner,admin,member,viewer"`
}

// Token lets a program act for its user within a team.
type Token struct {
	ID        string        `json:"id"`
	Name      string        `json:"name" example:"build server"`
	Team      string        `json:"team" doc:"ID of the team it can access."`
	TeamName  string        `json:"team_name"`
	Scopes    []store.Scope `json:"scopes" nullable:"false"`
	CreatedAt time.Time     `json:"created_at"`
	ExpiresAt time.Time     `json:"expires_at"`
	UsedAt    *time.Time    `json:"last_used_at,omitempty" doc:"Precise to the minute."`
	Current   bool          `json:"current" doc:"Whether this is the token of the request."`
}
