package views

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
)

func adminShell(title string) Shell {
	s := sampleShell(title, PlaceAdmin)
	s.Admin = true
	return s
}

func sampleUsers() AdminUsersPage {
	return AdminUsersPage{
		Shell: adminShell("Users"), List: AdminList{Page: 2, From: 26, To: 30, Total: 80, Previous: "/admin/users", Next: "/admin/users?page=3"},
		Users: []AdminUserRow{
			{ID: "1", Name: "Mara Lindqvist", Email: "mara@nordlicht.example", Providers: "github, google", Teams: 3, Stores: 12, SeenAt: sampleTime, Admin: true, You: true},
			{ID: "2", Name: "Jonas Weber", Email: "jonas@nordlicht.example", Providers: "google", Teams: 1, Stores: 2, SeenAt: sampleTime.Add(-26 * time.Hour), Admin: true},
			{ID: "3", Name: longName, Email: longName + "@example.com", Providers: "oidc", Teams: 1, SeenAt: sampleTime},
			{ID: "4", Name: hostile, Email: hostile, Providers: "github", Teams: 2, Stores: 5, SeenAt: sampleTime, Disabled: true},
			{ID: "5", Name: "דנה לוי", Email: "dana@example.com", Providers: "github", Teams: 1, SeenAt: sampleTime},
		},
	}
}

func samplePlans(chosen string) []Choice {
	var all []Choice
	for _, c := range []Choice{{Value: "free", Label: "Free"}, {Value: "standard", Label: "Standard"}, {Value: "pro", Label: "Pro"}} {
		c.Selected = c.Value == chosen
		all = append(all, c)
	}
	return all
}

func sampleAllTeams() AdminTeamsPage {
	return AdminTeamsPage{
		Shell: adminShell("Teams"), List: AdminList{Search: "a", Page: 1, From: 1, To: 3, Total: 3},
		Teams: []AdminTeamRow{
			{ID: "1", Name: "Nordlicht", Owners: "Jonas Weber, Mara Lindqvist", Members: 7, Stores: 12, Plans: samplePlans("pro"), Given: true},
			{ID: "2", Name: "Mara Lindqvist", Owners: "Mara Lindqvist", Personal: true, Members: 1, Stores: 2, Plans: samplePlans("standard")},
			{ID: "3", Name: hostile, Owners: longName, Members: 2, Plans: samplePlans("free"), Given: true, Heirs: []Choice{{Value: "4", Label: longName + ", admin"}, {Value: "5", Label: hostile}}},
		},
	}
}

func samplePlanList() AdminPlansPage {
	return AdminPlansPage{Shell: adminShell("Plans"), Plans: []AdminPlanRow{
		{Name: "free", Label: "Free", Stores: "1", CPU: "1", Memory: "6 GiB", Disk: "20 GiB", Pods: 10, Backups: "Never", Drills: "No drills", Misfits: []string{"WooCommerce doesn’t fit the Free plan. It needs 4 CPU; the plan allows 1."}},
		{Name: "standard", Label: "Standard", Stores: "No limit", CPU: "5", Memory: "8 GiB", Disk: "20 GiB", Pods: 20, Backups: "Every 24 hours", Drills: "Drills every 7 days", Default: true},
		{Name: "pro", Label: longName, Stores: "No limit", CPU: "8", Memory: "16 GiB", Disk: "50 GiB", Pods: 30, Backups: "Every hour", Drills: "Drills every day"},
	}}
}

func samplePlanForm() AdminPlanPage {
	return AdminPlanPage{
		Shell: adminShell("Plans"), Action: "/admin/plans/pro", Title: "Plan Pro", Submit: "Save",
		Notes: []string{"A store gets 8 CPU, 16 GiB, 50 GiB of disk. Existing stores get the new limits at their next change: an upgrade, rollback, repair or retry."},
		Fields: []AdminField{
			{Name: "name", Label: "Name", Value: "pro", Hint: "Used in settings and the database, for example large. It can’t be changed later.", Fixed: true},
			{Name: "label", Label: "Label", Value: hostile, Error: "Enter a label with at most 40 characters."},
			{Name: "stores", Label: "Stores per team", Value: "20", Hint: "0 means no limit", Numeric: true},
			{Name: "cpu", Label: "CPU per store", Value: "eight", Error: "Enter a number of CPUs, such as 2 or 0.5, up to 1000.", Numeric: true},
			{Name: "memory", Label: "Memory per store, in GiB", Value: "16", Hint: "50 % used by the store itself", Numeric: true},
			{Name: "backup_every", Label: "Hours between scheduled backups", Value: "often", Error: "Enter a number of hours from 0 (never) to 720.", Numeric: true},
		},
	}
}

func clusterCard(c Cluster, connection string, capacity ClusterCapacity) AdminClusterCard {
	return AdminClusterCard{Cluster: c, Capacity: &capacity, Facts: []Fact{
		{Name: "Kubernetes", Value: "v1.37.0"}, {Name: "Stores", Value: "38"},
		{Name: "UID", Value: "6f0c1d8e-1111-2222-3333-444455556666", Code: true}, {Name: "Connection", Value: connection},
	}}
}

func sampleCapacity(cpu, memory Share, woocommerce, medusa int) ClusterCapacity {
	return ClusterCapacity{
		Nodes: 3, CPU: cpu, Memory: memory, At: sampleTime, Room: []EngineRoom{{Engine: "WooCommerce", Stores: woocommerce}, {Engine: "Medusa", Stores: medusa}},
	}
}

func sampleClusters() AdminClustersPage {
	return AdminClustersPage{Shell: adminShell("Clusters"), Clusters: []AdminClusterCard{
		clusterCard(Cluster{Name: "ams-1", Since: sampleTime}, "Connected", sampleCapacity(Share{"19.4 of 48 CPU", 40}, Share{"52.25 of 190.5 GiB", 27}, 68, 74)),
		clusterCard(unreachableShell().Cluster, "Unreachable: "+hostile, ClusterCapacity{Unknown: "Unknown: the cluster isn’t connected."}),
	}, Strays: []Stray{
		{Namespace: "store-nordwind-outdoor", Slug: "nordwind-outdoor", Label: "shopwright.dev/store-id", StoreID: "019a2b3c-4d5e-7f60-8a9b-0c1d2e3f4a5b", CreatedAt: sampleTime},
		{Namespace: "store-" + strings.Repeat("x", 57), Slug: strings.Repeat("x", 57), Label: "shopwright.dev/store-id", StoreID: "019a2b3c-4d5e-7f60-8a9b-0c1d2e3f4a5c", CreatedAt: sampleTime},
	}}
}

// fullClusters hold few more stores or none, and one does not tell.
func fullClusters() AdminClustersPage {
	nearly := sampleCapacity(Share{"5.02 of 6 CPU", 83}, Share{"9.5 of 23.25 GiB", 40}, 1, 2)
	full := sampleCapacity(Share{"1.94 of 2 CPU", 97}, Share{"5.11 of 7.64 GiB", 66}, 0, 0)
	full.Nodes, full.Waiting = 1, 3
	one := sampleCapacity(Share{"6.2 of 8 CPU", 77}, Share{"29.8 of 31.2 GiB", 95}, 0, 3)
	forbidden := ClusterCapacity{Unknown: "Shopwright isn’t allowed to list the cluster’s nodes. Upgrade the platform’s chart, or give its account this right, to see how many more stores fit."}
	return AdminClustersPage{Shell: adminShell("Clusters"), Clusters: []AdminClusterCard{
		clusterCard(Cluster{Name: "fra-1", Since: sampleTime}, "Connected", nearly), clusterCard(Cluster{Name: "fra-2", Since: sampleTime}, "Connected", full),
		clusterCard(Cluster{Name: "fra-3", Since: sampleTime}, "Connected", one), clusterCard(Cluster{Name: "fra-4", Since: sampleTime}, "Connected", forbidden),
	}}
}

func sampleQueue() AdminQueuePage {
	return AdminQueuePage{Shell: adminShell("Queue"), Queue: AdminQueue{
		Running: []AdminQueueRow{
			{ID: "1", Name: "Nordwind Outdoor", Team: "Nordlicht", Status: Provisioning, Asked: "Opening", AskedBy: "by Mara Lindqvist", Step: "Workloads", Since: sampleTime},
			{ID: "2", Name: hostile, Team: longName, Status: Deleting, Asked: "Deletion", AskedBy: "by " + longName, Step: "Disks", Since: sampleTime.Add(-time.Hour), Idle: true},
		},
		Waiting: []AdminQueueRow{
			{ID: "3", Name: "Tea & Tonic", Team: "Nordlicht", Status: Upgrading, Asked: "Upgrade", AskedBy: "by Shopwright", Step: "Queued", Since: sampleTime},
		},
		Blocked: "The cluster isn’t connected. Work resumes automatically when it is.",
	}}
}

func sampleVersions() AdminVersionsPage {
	return AdminVersionsPage{
		Shell: adminShell("Versions"),
		Facts: []Fact{{Name: "Shopwright", Value: "0.1.0"}, {Name: "Kubernetes", Value: "v1.37.0"}, {Name: "Database", Value: "PostgreSQL 15.14, schema 1"}},
		Charts: []AdminChartRow{
			{Engine: "WooCommerce", Version: "1.9.0", Stores: 12}, {Engine: "WooCommerce", Version: "1.10.0", Stores: 26, Offered: true},
			{Engine: "Medusa", Version: "Not deployed yet", Stores: 1},
		},
	}
}

// lostCluster is before its stores are brought back.
func lostCluster() ReplacementPage {
	return ReplacementPage{
		Shell: adminShell("Recovery of fra-1"), Form: ReplacementForm{ClusterID: "1", Open: true, Typed: "fra-2", Error: "The name doesn’t match. Type it exactly as shown above."},
		R: Replacement{Cluster: "fra-1", Points: 2, Without: 1, Rows: []ReturningRow{
			{ID: "1", Name: "Nordwind Outdoor", Team: "Nordlicht", Status: Ready, Point: sampleTime.Add(-time.Hour)},
			{ID: "2", Name: longName, Team: longName, Status: Degraded, Point: sampleTime.Add(-72 * time.Hour)},
			{ID: "3", Name: hostile, Team: "Nordlicht", Status: Ready},
		}},
	}
}

// replacedCluster has hundreds of stores that come back.
func replacedCluster() ReplacementPage {
	p := ReplacementPage{Shell: adminShell("Recovery of fra-1"), R: Replacement{Cluster: "fra-1", At: sampleTime, Points: 299, Without: 1, Back: 40, Blocked: "The cluster isn’t connected. Work resumes automatically when it is."}}
	for n := range 300 {
		row := ReturningRow{ID: strconv.Itoa(n), Name: "Store " + strconv.Itoa(n), Team: "Nordlicht", Status: Provisioning, Detail: "Waiting for its turn", Point: sampleTime.Add(-time.Hour)}
		switch {
		case n == 0:
			row.Status, row.Detail = Failed, "A container can’t be started: "+longName
		case n == 1:
			row.Status, row.Detail, row.Point = Failed, "The shop’s data is lost", time.Time{}
		case n < 42:
			row.Status, row.Detail = Ready, ""
		case n < 66:
			row.Detail = "Data"
		}
		p.R.Rows = append(p.R.Rows, row)
	}
	return p
}

// adminStates are the pages of those who administer the installation.
func adminStates() map[string]templ.Component {
	none, refused := sampleUsers(), sampleUsers()
	none.Users, none.List = nil, AdminList{Search: hostile, Page: 1}
	refused.Shell.Notices = []Notice{{Kind: ToneBad, Message: "An installation needs an administrator. Make someone else an administrator first."}}
	idle := AdminQueuePage{Shell: adminShell("Queue")}
	return map[string]templ.Component{
		"17-admin-users":       AdminUsers(sampleUsers()),
		"17a-admin-users-none": AdminUsers(none),
		"17b-admin-last":       AdminUsers(refused),
		"17c-admin-teams":      AdminTeams(sampleAllTeams()),
		"17d-admin-plans":      AdminPlans(samplePlanList()),
		"17e-admin-plan":       AdminPlanForm(samplePlanForm()),
		"17k-admin-targets":    AdminTargets(sampleTargets()),
		"17l-admin-no-targets": AdminTargets(AdminTargetsPage{Shell: adminShell("Backup targets")}),
		"17m-admin-target":     AdminTargetForm(sampleTargetForm()),
		"17f-admin-clusters":   AdminClusters(sampleClusters()),
		"17g-admin-queue":      AdminQueueView(sampleQueue()),
		"17h-admin-queue-none": AdminQueueView(idle),
		"17i-admin-versions":   AdminVersions(sampleVersions()),
		"17j-admin-full":       AdminClusters(fullClusters()),
		"17n-cluster-lost":     ClusterReplacement(lostCluster()),
		"17o-cluster-replaced": ClusterReplacement(replacedCluster()),
		"17p-cluster-empty":    ClusterReplacement(ReplacementPage{Shell: adminShell("Recovery of fra-1"), R: Replacement{Cluster: "fra-1", At: sampleTime}}),
	}
}

// with adds the states.
func with(all, more map[string]templ.Component) map[string]templ.Component {
	maps.Copy(all, more)
	return all
}
