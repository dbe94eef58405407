package views

import "time"

// AdminTab is one of the administration pages.
type AdminTab string

// The administration pages.
const (
	AdminTabUsers    AdminTab = "users"
	AdminTabTeams    AdminTab = "teams"
	AdminTabPlans    AdminTab = "plans"
	AdminTabBackups  AdminTab = "backups"
	AdminTabTargets  AdminTab = "targets"
	AdminTabClusters AdminTab = "clusters"
	AdminTabQueue    AdminTab = "queue"
	AdminTabVersions AdminTab = "versions"
)

func adminTabs() []Choice {
	return []Choice{
		{Value: string(AdminTabUsers), Label: "Users"}, {Value: string(AdminTabTeams), Label: "Teams"}, {Value: string(AdminTabPlans), Label: "Plans"},
		{Value: string(AdminTabBackups), Label: "Backups"}, {Value: string(AdminTabTargets), Label: "Backup targets"},
		{Value: string(AdminTabClusters), Label: "Clusters"}, {Value: string(AdminTabQueue), Label: "Queue"}, {Value: string(AdminTabVersions), Label: "Versions"},
	}
}

// AdminList is what surrounds a long list: the search and the pages.
type AdminList struct {
	Search   string
	Page     int // from 1
	From     int // number of the first row shown; 0 when there is none
	To       int
	Total    int
	Previous string // address of that page, empty on the first
	Next     string // address of that page, empty on the last
}

func adminRange(l AdminList) string {
	return pageRange(StoreList{From: l.From, To: l.To, Total: l.Total})
}

// AdminUsersPage lists the users.
type AdminUsersPage struct {
	Shell Shell
	List  AdminList
	Users []AdminUserRow
}

// AdminUserRow is a user in the list.
type AdminUserRow struct {
	ID        string
	Name      string
	Email     string
	Providers string
	Teams     int
	Stores    int
	SeenAt    time.Time
	Admin     bool
	Disabled  bool
	You       bool
}

// AdminTeamsPage lists the teams.
type AdminTeamsPage struct {
	Shell Shell
	List  AdminList
	Teams []AdminTeamRow
}

// AdminTeamRow is a team in the list.
type AdminTeamRow struct {
	ID       string
	Name     string
	Owners   string
	Personal bool
	Members  int
	Stores   int
	Heirs    []Choice // who can become owner, if no owner can sign in
	Plans    []Choice
	Given    bool // whether its plan was set by an administrator
}

// AdminPlansPage lists the plans.
type AdminPlansPage struct {
	Shell Shell
	Plans []AdminPlanRow
}

// AdminPlanRow is a plan in the list.
type AdminPlanRow struct {
	Name    string
	Label   string
	Stores  string // of a team
	CPU     string
	Memory  string
	Disk    string
	Pods    int
	Backups string   // how often
	Drills  string   // how often restores are rehearsed
	Default bool     // for teams without a plan of their own
	Misfits []string // why stores of some engines do not fit
}

// AdminPlanPage edits a plan, or adds one.
type AdminPlanPage struct {
	Shell  Shell
	New    bool
	Fields []AdminField
	Action string
	Title  string
	Notes  []string // facts about the plan
	Submit string
}

// AdminField is a field of a form, as typed so far.
type AdminField struct {
	Name    string
	Label   string
	Value   string
	Hint    string
	Error   string
	Fixed   bool // whether it cannot be changed
	Numeric bool
}

// AdminClustersPage lists the clusters.
type AdminClustersPage struct {
	Shell    Shell
	Clusters []AdminClusterCard
	Strays   []Stray
}

// Stray is a namespace of a store that the database does not have.
type Stray struct {
	Namespace string
	Slug      string // of a store that would have this namespace
	StoreID   string
	Label     string // key of the label with the store id
	CreatedAt time.Time
}

// AdminClusterCard is a cluster and the facts about it.
type AdminClusterCard struct {
	Cluster  Cluster
	Facts    []Fact
	Capacity *ClusterCapacity // nil for a cluster without a connection
	Recovery string           // URL of the page on how its stores come back; empty if it isn't lost and never was
}

// AdminQueuePage shows the running and the waiting work.
type AdminQueuePage struct {
	Shell Shell
	Queue AdminQueue
}

// AdminQueue is the list of work.
type AdminQueue struct {
	Running []AdminQueueRow
	Waiting []AdminQueueRow
	Blocked string // why all work is blocked; empty if it is not
}

// AdminQueueRow is a store with work in progress or waiting.
type AdminQueueRow struct {
	ID      string
	Name    string
	Team    string
	Status  Status
	Asked   string // the request, such as created
	AskedBy string
	Step    string
	Since   time.Time // of the work, or of the waiting
	Idle    bool      // no process works on it now
}

// AdminVersionsPage shows the versions in use.
type AdminVersionsPage struct {
	Shell  Shell
	Facts  []Fact
	Charts []AdminChartRow
}

// AdminChartRow is a version of an engine's chart.
type AdminChartRow struct {
	Engine  string
	Version string
	Stores  int
	Offered bool // to new stores
}
