package views

import (
	"fmt"
	"time"

	"github.com/a-h/templ"
)

func backupFilters(current string, all, attention, failing int) []StatusCount {
	return []StatusCount{
		{Label: "All", Count: all, URL: "/admin/backups", Current: current == ""},
		{Label: "Needs attention", Count: attention, URL: "/admin/backups?show=attention", Current: current == "attention"},
		{Label: "Failing", Count: failing, URL: "/admin/backups?show=failing", Current: current == "failing"},
	}
}

// wellBackedUp is a store whose backups and drills are as its plan asks for.
func wellBackedUp(name string) AdminBackupRow {
	return AdminBackupRow{
		Name: name, Team: "Nordlicht", Address: "/stores/1/backups", Points: 34, Added: "1.4 GB", Newest: Ago("", "", sampleTime.Add(-3*time.Hour), ""),
		Last: BackupCell{Text: "Done"}, Next: Until(sampleTime.Add(21 * time.Hour)), Drill: Ago(ToneOK, "Passed", sampleTime.Add(-9*24*time.Hour), "Took 41 s"),
	}
}

func sampleAdminBackups() AdminBackups {
	ago := func(d time.Duration) time.Time { return sampleTime.Add(-d) }
	return AdminBackups{
		Targets: []AdminTargetUse{
			{Name: "Off-site", InUse: true, Added: "48 GB", Points: 1204, Stores: 38, Newest: ago(3 * time.Hour)},
			{Name: longName, Added: "0 B"},
		},
		Failing: &TargetFailing{Target: "Off-site", Backups: 12, Stores: 9, Since: ago(3 * time.Hour), Cause: "The container upload ended with exit code 1: " + hostile},
		Next:    []NextBackup{{Store: "Tea & Tonic", At: ago(-12 * time.Minute)}, {Store: "Atelier Köhler", At: ago(-31 * time.Minute)}, {Store: hostile, At: ago(-2 * time.Hour)}},
		Day:     34, List: AdminList{Page: 1, From: 1, To: 8, Total: 8}, Filters: backupFilters("", 8, 6, 2),
		Rows: []AdminBackupRow{
			{
				Name: "Nordwind Outdoor", Team: "Nordlicht", Address: "/stores/1/backups", Added: "0 B", Newest: BackupCell{Tone: ToneWarn, Text: "None", Detail: "Plan: every 24 hours"},
				Last: BackupCell{Text: "None"}, Next: BackupCell{Text: "When the store is ready"}, Drill: BackupCell{Text: "None"},
			},
			{
				Name: "Tea & Tonic", Team: "Mara Lindqvist", Points: 12, Added: "310 MB", Newest: Ago(ToneWarn, "", ago(50*time.Hour), "Plan: every 24 hours"),
				Last: Ago(ToneBad, "Failed", ago(2*time.Hour), "The container upload ended with exit code 1: Access Denied."), Next: Until(ago(-22 * time.Hour)),
				Drill: Ago(ToneBad, "Failed", ago(72*time.Hour), "Checkout failed"),
			},
			{
				Name: longName, Team: longName, Address: "/stores/3/backups", Points: 1000, Added: "999 GB", Newest: Ago("", "", ago(20*time.Minute), ""),
				Last: Ago(ToneBad, "Failed", ago(time.Minute), hostile), Next: BackupCell{Text: "In progress"}, Drill: Ago(ToneWarn, "Overdue, last", ago(40*24*time.Hour), ""),
			},
			{
				Name: hostile, Team: hostile, Points: 3, Added: "12 MB", Newest: Ago("", "", ago(20*time.Hour), ""), Last: BackupCell{Text: "Done"},
				Next: BackupCell{Text: "Not scheduled"}, Drill: BackupCell{Tone: ToneWarn, Text: "Overdue", Detail: "None yet"},
			},
			{
				Name: "דנה לוי", Team: "Bakers", Points: 2, Added: "0 B", Newest: Ago("", "", ago(time.Hour), "Simulated"), Last: BackupCell{Text: "Done"},
				Next: BackupCell{Text: "No target in use"}, Drill: BackupCell{Text: "None"},
			},
			wellBackedUp("Atelier Köhler"), wellBackedUp("Bread & Butter"), wellBackedUp("Fjord"),
		},
	}
}

// manyBackups is the second page of hundreds of stores, all of them well.
func manyBackups() AdminBackups {
	b := sampleAdminBackups()
	b.Failing, b.Rows, b.Filters, b.Targets = nil, nil, backupFilters("", 612, 0, 0), b.Targets[:1]
	b.List = AdminList{Page: 2, From: 26, To: 50, Total: 612, Previous: "/admin/backups", Next: "/admin/backups?page=3"}
	for n := range 25 {
		b.Rows = append(b.Rows, wellBackedUp(fmt.Sprintf("Shop number %d", n+26)))
	}
	return b
}

// adminBackupStates are the overviews of backups.
func adminBackupStates() map[string]templ.Component {
	view := func(b AdminBackups) templ.Component {
		return AdminBackupsView(AdminBackupsPage{Shell: adminShell("Backups"), Backups: b})
	}
	fine, lost, unused := manyBackups(), sampleAdminBackups(), sampleAdminBackups()
	fine.Filter, fine.Filters, fine.Rows, fine.List = "attention", backupFilters("attention", 612, 0, 0), nil, AdminList{Page: 1}
	lost.Rows, lost.List = nil, AdminList{Page: 1, Search: hostile}
	unused.Failing, unused.Unused, unused.Next, unused.Rows, unused.Filters = nil, true, nil, nil, backupFilters("", 0, 0, 0)
	unused.List = AdminList{Page: 1}
	unused.Targets[0].InUse = false
	return map[string]templ.Component{
		"34-admin-backups":         view(sampleAdminBackups()),
		"34a-admin-backups-many":   view(manyBackups()),
		"34b-admin-backups-fine":   view(fine),
		"34c-admin-backups-lost":   view(lost),
		"34d-admin-backups-unused": view(unused),
		"34e-admin-backups-empty":  view(AdminBackups{Empty: true}),
	}
}
