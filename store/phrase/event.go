package phrase

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"shopwright.dev/shopwright/store"
)

// Line is an event in words.
type Line struct {
	Message string // a sentence by itself
	// Verb stands between the actor's name and the object's, such as "requested the deletion of"; where
	// there is no actor or no object, it does without.
	Verb   string
	Detail string // beside the verb and the object; empty where they say all
	Object string // the name of what the event is about
	Before string // a value that was changed
	After  string
}

// Event says what an event tells. Each kind has its words in one of the functions below.
func Event(e store.Event) Line {
	line := kindOf(e)
	line.Object = e.Object
	if e.Data.Anyone {
		line.Object = "anybody with the link"
	}
	line.Before, line.After = values(e)
	return line
}

func kindOf(e store.Event) Line {
	kind, _, _ := strings.Cut(string(e.Kind), ".")
	switch kind {
	case "store", "check", "step", "credentials":
		return storeLine(e)
	case "backup":
		return backupLine(e)
	case "drill":
		return drillLine(e)
	case "user", "identity", "token":
		return accountLine(e)
	case "team", "member", "invitation":
		return teamLine(e)
	default:
		return installationLine(e)
	}
}

// storeLine is about a store and the work on it.
func storeLine(e store.Event) Line {
	change, note := Change(e.Data.Change), Note(e.Data.Note)
	switch e.Kind {
	case store.StoreCreated:
		return Line{Message: "Store created", Verb: "created"}
	case store.StoreRetried:
		return Line{Message: "Retried", Verb: "retried"}
	case store.StoreRebuilt:
		return rebuiltLine(e.Data.PointAt)
	case store.StoreRepaired:
		return Line{Message: cmp.Or(note, "Repair requested"), Verb: "repaired", Detail: note}
	case store.UpgradeAsked:
		return Line{Message: change, Verb: "requested an upgrade of", Detail: change}
	case store.RollbackAsked:
		return Line{Message: change, Verb: "requested a rollback of", Detail: change}
	case store.OwnerAsked, store.OwnerChanged:
		return Line{Message: "Owner’s email", Verb: "changed the owner’s email of", Detail: "To " + e.Data.After}
	case store.ChangeCancelled:
		if e.Data.Change.Kind == store.Opening {
			return Line{Message: "Deletion cancelled", Verb: "cancelled the deletion of"}
		}
		return Line{Message: change, Verb: "cancelled the change to", Detail: change}
	case store.StoreUndone:
		title := Failure(e.Data.Failure).Title
		return Line{Message: title, Verb: "rolled back the change to", Detail: Step(e.Step) + ": " + title}
	case store.StoreReady:
		return readyLine(e.Data.Change)
	case store.StoreFailed:
		title := Failure(e.Data.Failure).Title
		return Line{Message: title, Verb: "failed to finish work on", Detail: Step(e.Step) + ": " + title}
	case store.StoreAborted:
		title := Failure(e.Data.Failure).Title
		verb := "didn’t delete"
		if e.Data.Change.Kind == store.Upgrade {
			verb = "didn’t upgrade"
		}
		return Line{Message: "Not begun: " + title, Verb: verb, Detail: title}
	case store.StoreDegraded:
		return Line{Message: degraded(e.Data), Verb: "Checkout failed at", Detail: degraded(e.Data)}
	case store.StoreRecovered:
		return Line{Message: "Checkout works again", Verb: "Checkout works again at"}
	case store.StoreDeleteAsked:
		return Line{Message: "Deletion requested", Verb: "requested the deletion of"}
	case store.StoreDeleted:
		return Line{Message: "Store deleted", Verb: "deleted"}
	case store.CredentialsShown:
		return Line{Message: "Admin login shown", Verb: "viewed the admin login of"}
	case store.CheckAsked:
		return Line{Message: "Order check requested", Verb: "requested an order check of"}
	case store.Checked:
		return Line{Message: note, Verb: "checked", Detail: note}
	case store.StepStarted, store.StepProgressed, store.StepFinished:
		return Line{Message: note, Verb: "worked on", Detail: note}
	}
	return Line{}
}

// backupLine is about a restore point that is made of a store.
func backupLine(e store.Event) Line {
	note := Note(e.Data.Note)
	switch e.Kind {
	case store.BackupAsked:
		return Line{Message: join(": ", "Backup requested", note), Verb: "requested a backup of", Detail: note}
	case store.BackupScheduled:
		return Line{Message: "Scheduled backup", Verb: "scheduled a backup of"}
	case store.BackupProgressed:
		return Line{Message: "Backup: " + Step(e.Step), Verb: "is backing up", Detail: Step(e.Step)}
	case store.BackupDone:
		return Line{Message: join(": ", "Backed up", note), Verb: "backed up", Detail: note}
	case store.BackupFailed:
		title := Failure(e.Data.Failure).Title
		return Line{Message: title, Verb: "failed to back up", Detail: title}
	case store.BackupCancelled:
		return Line{Message: "Backup cancelled by another change", Verb: "cancelled the backup of", Detail: "Because of another change"}
	case store.PointsErased:
		return Line{Message: join(": ", "Restore points erased", note), Verb: "erased the restore points of", Detail: join(" ", "From", note)}
	case store.RepositoryShown:
		return Line{Message: "Access to the backup repository shown", Verb: "showed the access to the backups of", Detail: "On the command line of the server"}
	}
	return Line{}
}

func readyLine(c store.Change) Line {
	if c.Kind == store.Opening || c.Kind == store.Rebuild {
		return Line{Message: Change(c), Verb: "opened"}
	}
	return Line{Message: Change(c), Verb: "finished work on", Detail: Change(c)}
}

// accountLine is about a user's account, and how the user comes in.
func accountLine(e store.Event) Line {
	switch e.Kind {
	case store.SignedIn:
		with := "with " + signedIn(e.Data)
		return Line{Message: "Signed in " + with, Verb: "signed in", Detail: with}
	case store.SignedOut:
		return Line{Message: signedOut(e.Data.How), Verb: "signed out"}
	case store.SessionEnded:
		return sessionLine(e.Data.How)
	case store.IdentityLinked:
		return Line{Message: linked(e.Data), Verb: "added a sign-in method", Detail: linked(e.Data)}
	case store.IdentityRemoved:
		return Line{Message: method(e.Data.Method), Verb: "removed a sign-in method", Detail: method(e.Data.Method)}
	case store.TokenCreated:
		scopes := "Permissions: " + scopeList(e.Data.Scopes)
		return Line{Message: scopes, Verb: "created the API token", Detail: scopes}
	case store.TokenRevoked:
		return Line{Message: "Token revoked", Verb: "revoked the API token"}
	case store.UserDisabled:
		return Line{Message: "Disabled; sessions, tokens and invitations ended", Verb: "disabled", Detail: "sessions, tokens and invitations ended"}
	case store.UserEnabled:
		return Line{Message: "Enabled", Verb: "enabled"}
	case store.AdminMade:
		return Line{Message: madeAdmin(e.Data), Verb: "changed the permissions of", Detail: madeAdmin(e.Data)}
	case store.AdminUnmade:
		return Line{Message: "No longer an administrator", Verb: "changed the permissions of", Detail: "No longer an administrator"}
	case store.LoginLinkMade:
		minutes := fmt.Sprintf("%.0f minutes", e.Data.Lifetime.Minutes())
		return Line{Message: "Created a login link, valid once within " + minutes, Verb: "created a login link for", Detail: "Works once, within " + minutes}
	}
	return Line{}
}

// method is what people call a sign-in method.
func method(label string) string {
	if label == store.LoginLink {
		return "a login link"
	}
	return label
}

func signedIn(d store.EventData) string {
	said := method(d.Method)
	if d.Email != "" {
		said += ", known by the address " + d.Email
	}
	switch d.How {
	case store.ByFirstUser:
		said += ", as the first user and administrator"
	case store.BySettings:
		said += ", as a new administrator"
	}
	return said
}

func signedOut(how store.How) string {
	if how == store.ByNextSignIn {
		return "Signed out by another sign-in in the same browser"
	}
	return "Signed out"
}

func sessionLine(how store.How) Line {
	switch how {
	case store.OneSession:
		return Line{Message: "Ended a session in another browser", Verb: "ended a session", Detail: "Ended a session in another browser"}
	case store.OtherSessions:
		return Line{Message: "Ended all sessions in other browsers", Verb: "ended a session", Detail: "Ended all sessions in other browsers"}
	default:
		return Line{Message: "Ended all sessions", Verb: "ended the sessions of"}
	}
}

func linked(d store.EventData) string {
	if d.How == store.ByAddress {
		return method(d.Method) + ", by the address " + d.Email
	}
	return method(d.Method) + ", " + cmp.Or(d.Email, "without an address")
}

func scopeList(scopes []store.Scope) string {
	words := make([]string, len(scopes))
	for i, s := range scopes {
		words[i] = string(s)
	}
	return strings.Join(words, " ")
}

func madeAdmin(d store.EventData) string {
	const made = "Made an administrator"
	switch d.How {
	case store.ByFirstUser:
		return made + " as the first user"
	case store.BySettings:
		return made + " by the settings, which name " + d.Email
	case store.ByProvider:
		return made + " by the " + d.Method
	case store.ByLoginLink:
		return made + " by " + method(store.LoginLink)
	}
	return made
}

// teamLine is about a team and the people in it.
func teamLine(e store.Event) Line {
	before, after := e.Data.Before, e.Data.After
	switch e.Kind {
	case store.TeamCreated:
		return Line{Message: "Team created", Verb: "created the team"}
	case store.TeamRenamed:
		return Line{Message: "Renamed, was " + before, Verb: "renamed the team", Detail: "Was " + before}
	case store.TeamDeleted:
		return Line{Message: "Team deleted", Verb: "deleted the team"}
	case store.TeamPlanSet:
		return Line{Message: "Plan " + after, Verb: "changed the plan of", Detail: "Plan " + after}
	case store.MemberAdded:
		return Line{Message: "Added as " + after, Verb: "added", Detail: "Added as " + after}
	case store.MemberJoined:
		as := "as " + after + ", invited by " + e.Data.InvitedBy
		return Line{Message: "Joined " + as, Verb: "joined the team", Detail: as}
	case store.MemberRemoved:
		if e.ActorID == e.Data.UserID {
			return Line{Message: "Left the team", Verb: "left the team"}
		}
		return Line{Message: "Removed from the team", Verb: "removed", Detail: "From the team"}
	case store.RoleChanged:
		role := "Made " + after + ", was " + before
		return Line{Message: role, Verb: "changed the role of", Detail: role}
	case store.MemberInvited:
		return Line{Message: "Invited as " + after, Verb: "invited", Detail: "As " + after}
	case store.InvitationAnew:
		return Line{Message: "Invitation renewed", Verb: "renewed the invitation for"}
	case store.InvitationEnded:
		return Line{Message: "Invitation revoked", Verb: "revoked the invitation for"}
	}
	return Line{}
}

// installationLine is about what all teams share.
func installationLine(e store.Event) Line {
	switch e.Kind {
	case store.PlanAdded:
		return Line{Message: "Plan added", Verb: "added the plan"}
	case store.PlanChanged:
		return Line{Message: "Plan changed", Verb: "changed the plan"}
	case store.RecoveryKeyMade:
		return Line{Message: "Recovery key created", Verb: "created the recovery key", Detail: "Backups of the database are encrypted for it"}
	case store.TargetAdded:
		return Line{Message: "Backup target added", Verb: "added the backup target"}
	case store.TargetChanged:
		return Line{Message: "Backup target changed", Verb: "changed the backup target"}
	case store.TargetDeleted:
		return Line{Message: "Backup target deleted", Verb: "deleted the backup target"}
	case store.ClusterReplaced:
		return Line{Message: "Cluster replaced", Verb: "replaced the cluster", Detail: "Its stores are rebuilt from their restore points"}
	}
	return Line{}
}

// values are what was changed, from what to what.
func values(e store.Event) (before, after string) {
	switch e.Kind {
	case store.UpgradeAsked, store.RollbackAsked:
		return inPlace(e.Data.Change), target(e.Data.Change)
	case store.PlanAdded, store.PlanChanged:
		return figures(e.Data.PlanBefore), figures(e.Data.PlanAfter)
	}
	return e.Data.Before, e.Data.After
}

func figures(f store.Figures) string {
	if f == (store.Figures{}) {
		return ""
	}
	return fmt.Sprintf("%s: %d stores of a team, %d thousandths of a CPU, %d MiB of memory, %d MiB of disk, %d pods",
		f.Label, f.Stores, f.CPU, f.Memory, f.Disk, f.Pods) + backups(f)
}

// backups are how a plan's stores are backed up. Plans of 0.1 said nothing of it.
func backups(f store.Figures) string {
	if f.BackupEvery == 0 && f.Keep == (store.PointRetention{}) {
		return ""
	}
	said := fmt.Sprintf(", scheduled backups: %s, restore points kept: %d hourly, %d daily, %d weekly, %d monthly",
		strings.ToLower(BackupEvery(f.BackupEvery)), f.Keep.Hourly, f.Keep.Daily, f.Keep.Weekly, f.Keep.Monthly)
	if f.DrillEvery == 0 {
		return said
	}
	return said + ", restore drills: " + strings.ToLower(DrillEvery(f.DrillEvery))
}

// BackupEvery says how often a plan's stores are backed up: so many hours, zero for never.
func BackupEvery(hours int) string {
	switch hours {
	case 0:
		return "Never"
	case 1:
		return "Every hour"
	}
	return fmt.Sprintf("Every %d hours", hours)
}

// rebuiltLine is about a shop that lost its data, and is opened anew with a restore point of that time or empty.
func rebuiltLine(point time.Time) Line {
	if point.IsZero() {
		return Line{Message: "Rebuilt empty", Verb: "rebuilt", Detail: "Empty, because its data was lost"}
	}
	from := "the restore point of " + point.UTC().Format("2 January 2006, 15:04 MST")
	return Line{Message: "Rebuilt from " + from, Verb: "rebuilt", Detail: "From " + from + ", because its data was lost"}
}
