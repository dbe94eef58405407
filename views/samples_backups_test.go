package views

import (
	"strings"
	"time"

	"github.com/a-h/templ"
)

func backupsPage(t BackupsTab) StorePage {
	head := sampleHead("Atelier Köhler", Ready)
	t.StoreID, t.List.StoreID = head.ID, head.ID
	return StorePage{Shell: sampleShell(head.Name, PlaceStores), Head: head, Tabs: StoreTabs{ID: head.ID, Current: TabBackups, Pods: 3}, Backups: &t}
}

func sampleBackups() BackupsTab {
	ago := func(d time.Duration) time.Time { return sampleTime.Add(-d) }
	return BackupsTab{Form: true, List: BackupList{
		Next:    ago(-3 * time.Hour),
		Kept:    &CleanupFailed{What: "3 expired restore points couldn’t be deleted from the target", Cause: hostile},
		Running: &BackupRunning{Step: "Database", Who: "Mara Lindqvist", At: ago(time.Minute)},
		Failed:  &BackupFailed{Title: "Backup failed: database", Cause: "The container database ended with exit code 1: " + hostile, Next: "Fix the cause, then press Back up now.", At: ago(time.Hour)},
		Drills:  sampleDrills(),
		Rows: []PointRow{
			{At: ago(time.Hour), Proven: true, Note: "before the sale", Reason: "By hand", Size: "254 MB", Contents: "1,204 orders (+12), 310 products, 880 customers (+3)", Added: "900 kB", Took: "3.5 s", Target: "Off-site", Chart: "1.10.0", Who: "Mara Lindqvist", Restore: "/stores/new?from=1", Locked: "2 tables locked meanwhile"},
			{At: ago(24 * time.Hour), Note: hostile, Reason: "Scheduled", Simulated: true, Took: "1 s", Target: longName, Chart: "1.9.0", Who: longName, Restore: "/stores/new?from=2"},
		},
	}}
}

func sampleDrills() *DrillPane {
	ago := func(d time.Duration) time.Time { return sampleTime.Add(-d) }
	return &DrillPane{
		StoreID: "7", Can: true, Last: &DrillRow{At: ago(30 * time.Hour), Tone: ToneOK, Result: "Passed", Said: "restored and sold order 1043 in 41 s"}, Next: ago(-5 * 24 * time.Hour),
		Earlier: []DrillRow{
			{At: ago(8 * 24 * time.Hour), Tone: ToneOK, Result: "Passed", Detail: "Sold order 987 in 39 s"},
			{At: ago(15 * 24 * time.Hour), Tone: ToneBad, Result: "Failed", Detail: hostile},
			{At: ago(22 * 24 * time.Hour), Tone: TonePlain, Result: "Cancelled"},
		},
	}
}

// drillStates are the Backups tab with drills in each state.
func drillStates() map[string]templ.Component {
	ago := func(d time.Duration) time.Time { return sampleTime.Add(-d) }
	tab := func(d DrillPane) templ.Component {
		d.StoreID = "7"
		t := sampleBackups()
		t.List.Running, t.List.Failed, t.List.Kept, t.List.Drills = nil, nil, nil, &d
		t.List.Rows[0].Proven = false
		return Store(backupsPage(t))
	}
	failed := DrillRow{At: ago(2 * time.Hour), Tone: ToneBad, Result: "Failed", Said: "failed after 3:12"}
	return map[string]templ.Component{
		"35-drill-running": tab(DrillPane{Can: true, Running: &DrillRow{Address: "/stores/8", At: ago(time.Minute)}, Last: sampleDrills().Last}),
		"35a-drill-failed": tab(DrillPane{
			Can: true, Last: &failed, Next: ago(-22 * time.Hour), Overdue: true, Every: "every 7 days", Passed: ago(12 * 24 * time.Hour), Earlier: sampleDrills().Earlier,
			Failed: &DrillFailed{Title: "Restore failed: data", Cause: "The container data ended with exit code 1: " + hostile, Next: "Fix the cause, then press Drill now. Otherwise Shopwright tries again a day later."},
		}),
		"35b-drill-overdue":   tab(DrillPane{Can: true, Next: ago(time.Minute), Overdue: true, Every: "every day"}),
		"35c-drill-none":      tab(DrillPane{Can: true, Next: ago(-3 * time.Hour)}),
		"35d-drill-unplanned": tab(DrillPane{Unplanned: true}),
		"35e-drill-simulated": tab(DrillPane{Can: true, Last: &DrillRow{At: ago(time.Hour), Tone: TonePlain, Result: "Simulated", Said: "simulated: nothing was restored"}, Next: ago(-6 * 24 * time.Hour)}),
	}
}

func sampleTargets() AdminTargetsPage {
	ago := func(d time.Duration) time.Time { return sampleTime.Add(-d) }
	card := RecoveryCard{
		Key: "AGE-SECRET-KEY-1" + strings.Repeat("QZRY9X8GF2TVDW0S", 4)[:58], Made: ago(time.Hour), Who: longName, Saved: ago(time.Hour), Size: "1.2 MB",
		Failed: hostile, Target: "Off-site",
	}
	return AdminTargetsPage{Shell: adminShell("Backup targets"), Recovery: card, Targets: []AdminTargetRow{
		{ID: "1", Name: "Off-site", Address: "https://s3.eu-central-1.amazonaws.com/shops/backups", KeyID: "AKIAIOSFODNN7EXAMPLE", InUse: true, Result: &TargetResult{OK: true, Text: "An object was written, listed, read and deleted. Object lock is on."}},
		{ID: "2", Name: longName, Address: "https://minio.example.com/shops", KeyID: "shopwright", Result: &TargetResult{Text: "Writing an object failed: " + hostile}},
	}}
}

func sampleTargetForm() AdminTargetPage {
	return AdminTargetPage{
		Shell: adminShell("Backup targets"), Title: "Backup target Off-site", Action: "/admin/targets/1", Submit: "Save", PathStyle: true, InUse: true,
		Fields: []AdminField{
			{Name: "name", Label: "Name", Value: hostile, Error: "Enter a name with at most 40 characters."},
			{Name: "endpoint", Label: "Endpoint", Value: "https://s3.example.com", Hint: "URL of the S3 service, such as https://s3.eu-central-1.amazonaws.com"},
		},
		Secret: AdminField{Name: "secret", Label: "Secret access key", Hint: "Kept encrypted. Leave it empty to keep the present one"},
		CA:     AdminField{Name: "ca", Label: "CA certificate", Value: hostile, Error: "Enter one or more certificates in PEM format."},
	}
}
