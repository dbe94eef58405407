package phrase

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"shopwright.dev/shopwright/store"
)

// Explanation is a failure in words.
type Explanation struct {
	Title string // what happened, in a shop owner's words
	Cause string // why, with the objects' real names
	Next  string // what to do about it; empty where nothing is to be done
}

// Failure says what happened, why, and what to press. Each code has its words in one of the functions
// below; a failure without a code has none.
func Failure(f store.Failure) Explanation {
	for _, part := range []func(store.Failure) Explanation{placeFailure, releaseFailure, podFailure, saleFailure, backupFailure, restoreFailure, drillFailure} {
		if said := part(f); said != (Explanation{}) {
			return said
		}
	}
	return Explanation{Title: string(f.Code)}
}

const thenRetry = ", then press Retry."

// placeFailure is about the store's namespace and what is in it before its release.
func placeFailure(f store.Failure) Explanation {
	d := f.Facts
	switch f.Code {
	case store.NamespaceTaken:
		return Explanation{
			"The namespace is already taken",
			fmt.Sprintf("The namespace %s exists, but this store didn’t create it. Shopwright leaves it untouched.", d.Namespace),
			"Delete this store and create it again at another address, or have the namespace removed and press Retry.",
		}
	case store.LabelLost:
		then := "press Retry"
		if d.Going {
			then = "delete the store again"
		}
		return Explanation{
			"The namespace has lost its label",
			fmt.Sprintf("The namespace %s holds this store, but its label %s is missing or names another store. Shopwright changes nothing there without it.", d.Namespace, d.Label),
			fmt.Sprintf("Run kubectl label --overwrite namespace %s %s=%s, then %s.", d.Namespace, d.Label, d.StoreID, then),
		}
	case store.CredentialsLost:
		return Explanation{
			"The credentials are missing",
			fmt.Sprintf("The secret %s/%s is missing or empty, but the store’s disks still exist. New passwords wouldn’t match them.", d.Namespace, d.Name),
			"Restore the secret and press Retry, or delete the store.",
		}
	case store.DataLost:
		return dataLost(d)
	case store.StillThere:
		return Explanation{
			"The cluster isn’t empty",
			fmt.Sprintf("The store was to be brought back from its restore point, but the namespace %s has disks of it already. They were left as they are.", d.Namespace),
			"If the shop there is the right one, restore Shopwright’s database again without --new-cluster. Otherwise delete that namespace, then press Retry.",
		}
	case store.SharedSecretGone:
		return Explanation{
			"A shared secret is missing",
			fmt.Sprintf("Every store gets a copy of the secret %s/%s, but the cluster doesn’t have it.", d.Namespace, d.Name),
			"Create it, or name another one in the settings and restart Shopwright. Then press Retry.",
		}
	case store.NoDefaultStorage:
		return Explanation{
			"The cluster has no default storage class",
			fmt.Sprintf("The store’s disks name no storage class, and the cluster has no default. Its storage classes: %s.", list(d.Names)),
			"Make one of them the default, or set SHOPWRIGHT_STORAGE_CLASS and restart Shopwright. Then press Retry.",
		}
	case store.NoStorageClass:
		return noClass("storage", "SHOPWRIGHT_STORAGE_CLASS", d)
	case store.NoIngressClass:
		return noClass("ingress", "SHOPWRIGHT_INGRESS_CLASS", d)
	case store.PlanTooSmall:
		return Explanation{
			"The plan is too small", tooSmall(d),
			"Ask an administrator for a larger plan and press Retry, or delete the store.",
		}
	}
	return Explanation{}
}

func dataLost(d store.Facts) Explanation {
	if d.Going {
		return Explanation{
			"The shop’s disks are being deleted",
			fmt.Sprintf("Someone deleted the volume claims of these disks in the namespace %s: %s. A disk in use is deleted when its pod stops.", d.Namespace, list(d.Names)),
			"Back up their data now. Then restore it under the same names and press Retry, or rebuild the shop: from a restore point if it has one, or empty.",
		}
	}
	return Explanation{
		"The shop’s data is lost",
		fmt.Sprintf("These disks of the shop are missing from the namespace %s: %s. New ones would be empty.", d.Namespace, list(d.Names)),
		"Restore them under the same names and press Retry, or rebuild the shop: from a restore point if it has one, or empty.",
	}
}

func noClass(kind, setting string, d store.Facts) Explanation {
	return Explanation{
		fmt.Sprintf("The cluster has no such %s class", kind),
		fmt.Sprintf("Stores use the %[1]s class %[2]s, but the cluster doesn’t have it. Its %[1]s classes: %[3]s.", kind, d.Name, list(d.Names)),
		fmt.Sprintf("Create that class, or change %s and restart Shopwright. Then press Retry.", setting),
	}
}

// tooSmall tells somebody who wants a shop, and need not know Kubernetes, why the plan is none for it.
func tooSmall(d store.Facts) string {
	var short []string
	for _, s := range d.Shortages {
		short = append(short, fmt.Sprintf("It needs %s%s; the plan allows %s.", s.Needs, ofResource(s.Resource), s.Allows))
	}
	slices.Sort(short)
	return fmt.Sprintf("%s doesn’t fit the %s plan. %s", d.Engine, d.Plan, strings.Join(short, " "))
}

// ofResource follows an amount of what a quota in Kubernetes limits.
func ofResource(name string) string {
	switch name {
	case "limits.cpu":
		return " CPU"
	case "requests.cpu":
		return " reserved CPU"
	case "limits.memory":
		return " of memory"
	case "requests.memory":
		return " of reserved memory"
	case "requests.storage":
		return " of disk"
	case "persistentvolumeclaims":
		return " disks"
	}
	return " " + name
}

// releaseFailure is about what is put into the namespace, and who puts it there.
func releaseFailure(f store.Failure) Explanation {
	d := f.Facts
	switch f.Code {
	case store.RequestDenied:
		return Explanation{
			"The cluster denied the request",
			fmt.Sprintf("The cluster denied the request at the step %s: %s", cmp.Or(f.Step, store.StepNamespace), Sentence(d.Quote)),
			"Ask the cluster’s administrator to allow it" + thenRetry,
		}
	case store.RevisionLost:
		return Explanation{
			"The revision no longer exists",
			fmt.Sprintf("The namespace %s has no release secret for revision %d.", d.Namespace, d.Revision),
			"Roll back to another revision, or upgrade to the current chart.",
		}
	case store.ReleaseLocked:
		return Explanation{
			"Another process is changing the release",
			fmt.Sprintf("Another Helm operation on the release %s started at %s and hasn’t finished: its revision %d is %s. It started again each time Shopwright continued.",
				d.Name, d.Since.UTC().Format("15:04:05 MST"), d.Revision, d.Status),
			"Find who runs Helm on this store and stop it" + thenRetry,
		}
	case store.EngineUnknown:
		return Explanation{
			"The engine is unknown",
			fmt.Sprintf("This version of Shopwright has no engine %q.", d.Engine),
			"Run a version that has it" + thenRetry,
		}
	case store.InternalError:
		return Explanation{
			"Internal error",
			"Shopwright hit an internal error while working on this store. Its log has the details.",
			"Press Retry. If it fails again, report the log entry “the work on the store panicked”.",
		}
	case store.ChangeWasCancelled:
		return Explanation{Title: "Cancelled", Cause: cmp.Or(d.Person, store.Platform) + " cancelled the change."}
	}
	return Explanation{}
}

// podFailure is about pods that do not get to work.
func podFailure(f store.Failure) Explanation {
	d := f.Facts
	switch f.Code {
	case store.PodsRefused:
		return Explanation{
			"The cluster rejects the shop’s pods",
			fmt.Sprintf("%s can’t create pods: %s", d.Object, Sentence(d.Quote)),
			"Ask the cluster’s administrator to allow them" + thenRetry,
		}
	case store.NoNodeForPod:
		lack, next := lacking(d.Problem)
		return Explanation{
			"No node has " + lack,
			fmt.Sprintf("Pod %s is unscheduled after %s: %s", d.Pod, seconds(d.After), Sentence(d.Quote)),
			next + " Then press Retry.",
		}
	case store.ImageNotPulled:
		return Explanation{
			"An image can’t be pulled",
			fmt.Sprintf("Pod %s can’t pull the image %s for its container %s.", d.Pod, d.Image, d.Container),
			"Check that the image exists and the cluster can reach its registry" + thenRetry,
		}
	case store.ContainerCrashing:
		return Explanation{
			"A container keeps crashing",
			fmt.Sprintf("Container %s of pod %s crashed %d times, most recently with exit code %d.", d.Container, d.Pod, d.Count, d.ExitCode),
			"Check its last log lines, fix the cause" + thenRetry,
		}
	case store.ContainerNotStarted:
		return Explanation{
			"A container can’t start",
			fmt.Sprintf("Container %s of pod %s can’t start: %s", d.Container, d.Pod, Sentence(d.Quote)),
			"Fix the cause" + thenRetry,
		}
	case store.OutOfMemory:
		return Explanation{
			"A container ran out of memory",
			fmt.Sprintf("Container %s of pod %s exceeded its memory limit of %s and was killed.", d.Container, d.Pod, d.Limit),
			"Raise the limit with SHOPWRIGHT_STORE_VALUES, or find what uses the memory. Then press Retry.",
		}
	case store.DatabaseRefuses:
		return Explanation{
			"The database rejects the shop",
			fmt.Sprintf("Container %s of pod %s exited because the shop’s database %s.", d.Container, d.Pod, ofDatabase(d.Problem)),
			"Check that the database pod is running and that the store’s secret still has its original password. Then press Retry.",
		}
	case store.DiskNotCreated:
		return Explanation{
			"A disk can’t be created",
			fmt.Sprintf("%s has no disk: %s", d.Object, Sentence(d.Quote)),
			"Fix what the storage class’s provisioner reports" + thenRetry,
		}
	case store.VolumeNotMounted:
		return Explanation{
			"A volume can’t be mounted",
			fmt.Sprintf("%s can’t mount a volume: %s", d.Object, Sentence(d.Quote)),
			"Fix what the cluster reports, for example a disk still attached to another node. Then press Retry.",
		}
	}
	return Explanation{}
}

func ofDatabase(p store.Problem) string {
	switch p {
	case store.WrongPassword:
		return "rejects its password"
	case store.AccessDenied:
		return "denies it access"
	case store.NotResponding:
		return "isn’t responding"
	case store.Unreachable:
		return "is unreachable"
	case store.NameNotFound:
		return "can’t be found by name"
	}
	return string(p)
}

// lacking says what no node has, and what to do about it.
func lacking(p store.Problem) (what, next string) {
	const room = "Add a node, or free up room."
	switch p {
	case store.NoUnboundDisks:
		return "the shop’s disks", "Check the events for the reason."
	case store.NoNodeOfDisks:
		return "the shop’s disks", "Bring back the node that has them."
	case store.NoNeighbour:
		return "room beside the shop’s pod", "It must run on the same node as the shop’s pod. Free up room there, or add a node with room for both."
	case store.NoMemory:
		return "enough memory", room
	case store.NoCPU:
		return "enough CPU", room
	case store.NoPods:
		return "room for another pod", room
	case store.NoUntainted:
		return "room for ordinary pods", "Remove the taint from a node, or add a node without it."
	default:
		return "room for the shop", room
	}
}

// saleFailure is about the way from running pods to a shop that sells.
func saleFailure(f store.Failure) Explanation {
	d := f.Facts
	switch f.Code {
	case store.SetupFailed:
		return Explanation{
			"Setup failed",
			fmt.Sprintf("Job %s failed after %s: %s", d.Name, Count(d.Count, "attempt"), Sentence(d.Quote)),
			"Check its last log lines and the events, then press Retry. Setup continues with what exists.",
		}
	case store.SetupStepFailed:
		why := "."
		if d.Quote != "" {
			why = ": " + Sentence(d.Quote)
		}
		return Explanation{
			"Setup failed",
			fmt.Sprintf("Setup failed after %s while %s%s", Count(d.Count, "attempt"), d.Doing, why),
			"Check its last log lines, then press Retry. Setup continues with what exists.",
		}
	case store.OrderFailed:
		return Explanation{
			"The test order failed",
			fmt.Sprintf("The order check failed at %s: %s", d.Doing, Sentence(Note(f.Note))),
			"Check the shop and its pods, then press Retry. The order check runs again.",
		}
	case store.AddressWrong:
		return Explanation{
			"The address doesn’t lead to the shop", Sentence(Note(f.Note)),
			"Check the DNS record, the ingress and the certificate" + thenRetry,
		}
	case store.DiskFull:
		return Explanation{Cause: fmt.Sprintf("A disk of pod %s is full: %s", d.Pod, Sentence(d.Quote))}
	case store.PodsNotReady:
		return Explanation{Cause: fmt.Sprintf("%s: %s.", ReadyPods(d.Count, d.Of), list(d.Names))}
	case store.TimedOut:
		return Explanation{
			"Timed out",
			fmt.Sprintf("After %s the store is still at the step %s: %s%s", seconds(d.After), f.Step, Sentence(Note(f.Note)), unready(d)),
			"Look at the pods and events for the reason. Retry continues from this step.",
		}
	}
	return Explanation{}
}

// backupFailure is about a restore point that was not made. Nothing is wrong with the shop then.
func backupFailure(f store.Failure) Explanation {
	d := f.Facts
	const again = ", then press Back up now."
	if f.Step == store.StepData {
		return Explanation{}
	}
	switch f.Code {
	case store.TargetSealed:
		return Explanation{
			"The backup target’s key can’t be read",
			fmt.Sprintf("The key of %s was sealed with another SHOPWRIGHT_SECRET_KEY.", d.Name),
			"Add the earlier secret key to the setting after a comma, or enter the target’s key again" + again,
		}
	case store.BackupUnsupported:
		return Explanation{
			"The store’s chart has no backup",
			fmt.Sprintf("Chart %s was released before backups existed.", d.Chart),
			"Upgrade the store" + again,
		}
	case store.RepositoryForeign:
		return Explanation{
			"The repository has another password",
			fmt.Sprintf("The repository of this store in %s exists, but the store’s password doesn’t open it.", d.Name),
			"Choose another prefix for the target" + again,
		}
	case store.BackupStepFailed:
		return Explanation{
			"Backup failed: " + d.Doing,
			endedWith(d),
			"Fix the cause" + again,
		}
	case store.BackupOverdue:
		return Explanation{
			"Backup timed out",
			fmt.Sprintf("The backup reached its deadline at %s.", d.Doing),
			"Check that the target is reachable from the cluster" + again,
		}
	}
	return Explanation{}
}

// restoreFailure is about a restore point whose data don't get into a new store.
func restoreFailure(f store.Failure) Explanation {
	d := f.Facts
	switch f.Code {
	case store.TargetSealed:
		return Explanation{
			"The backup target’s key can’t be read",
			fmt.Sprintf("The key of %s was sealed with another SHOPWRIGHT_SECRET_KEY.", d.Name),
			"Add the earlier secret key to the setting after a comma, or enter the target’s key again" + thenRetry,
		}
	case store.RepositoryForeign:
		return Explanation{
			"The repository has another password",
			fmt.Sprintf("The password that Shopwright keeps doesn’t open the restore point’s repository in %s.", d.Name),
			"Check that the target still has the repository that the point was written to" + thenRetry,
		}
	case store.PointGone:
		return Explanation{"The restore point no longer exists", gone(d), "Delete this store and restore another point. A store that is being rebuilt can be rebuilt empty, too."}
	case store.PointNewer:
		return Explanation{
			"The restore point is of a newer version",
			fmt.Sprintf("It was made with %s. An older version can’t work with its data, so nothing was loaded.", d.Quote),
			"Upgrade Shopwright, or set a newer image for the stores" + thenRetry,
		}
	case store.RestoreUnsupported:
		return Explanation{
			"The store’s chart has no restore",
			fmt.Sprintf("Chart %s was released before stores could be restored.", d.Chart),
			"Press Retry to install the current chart.",
		}
	case store.RestoreStepFailed:
		return Explanation{
			"Restore failed: " + d.Doing,
			endedWith(d),
			"Fix the cause, then press Retry. The restore starts again.",
		}
	case store.RestoreOverdue:
		return Explanation{
			"Restore timed out",
			fmt.Sprintf("The restore reached its deadline at %s.", d.Doing),
			"Check that the target is reachable from the cluster" + thenRetry,
		}
	}
	return Explanation{}
}

func gone(d store.Facts) string {
	if d.Name == "" {
		return "Shopwright’s database has no record of it any more."
	}
	return fmt.Sprintf("Its snapshots aren’t in %s any more.", d.Name)
}

// unready says of the pod that keeps a store waiting what it lacks.
func unready(d store.Facts) string {
	switch d.Problem {
	case store.NotFinished:
		return fmt.Sprintf(" The container %s of the pod %s hasn’t finished.", d.Container, d.Pod)
	case store.NotReady:
		return fmt.Sprintf(" The container %s of the pod %s is running but not ready.", d.Container, d.Pod)
	}
	return ""
}

// ReadyPods counts the pods of a shop that are ready.
func ReadyPods(ready, all int) string { return fmt.Sprintf("%d of %s ready", ready, Count(all, "pod")) }

func seconds(d time.Duration) time.Duration { return d.Round(time.Second) }

// endedWith says how a container ended; one without an exit code has not, and the quote says what happened.
func endedWith(d store.Facts) string {
	quote := Sentence(cmp.Or(d.Quote, "no message"))
	if d.ExitCode == 0 {
		return quote
	}
	return fmt.Sprintf("The container %s ended with exit code %d: %s", d.Doing, d.ExitCode, quote)
}
