package phrase

import (
	"fmt"
	"strconv"
	"strings"

	"shopwright.dev/shopwright/store"
)

// Note says in a few words what a note tells. Each code has its words in one of the functions below; a
// note without a code has none.
func Note(n store.Note) string {
	if n.Code == store.DataLoading { // what is being done is all that it tells
		return words(n)
	}
	return join(": ", n.Facts.Doing, words(n))
}

func words(n store.Note) string {
	for _, part := range []func(store.Note) string{openingNote, dataNote, removalNote, checkNote, pointNote, addressNote, lossNote} {
		if said := part(n); said != "" {
			return said
		}
	}
	if n.Code == store.Quoted && n.Facts.Doing == store.AtCheck {
		return Sentence(n.Facts.Quote)
	}
	if n.Code == store.Quoted {
		return n.Facts.Quote
	}
	return string(n.Code)
}

// openingNote is about a step by which a store is opened or changed.
func openingNote(n store.Note) string {
	d := n.Facts
	switch n.Code {
	case store.NamespaceGoing:
		return join(": ", "Waiting for the old namespace to be deleted", strings.Join(d.Names, "; "))
	case store.NamespaceCreated:
		return "Created; it admits only restricted pods"
	case store.RemainsGoing:
		return fmt.Sprintf("Waiting for %s and %s to be deleted", Count(d.Count, "pod"), Count(d.Disks, "disk"))
	case store.LimitsSet:
		return Allowance(d.Figures)
	case store.CredentialsStored:
		return "Stored only in the namespace"
	case store.MaintenanceComing:
		return "Putting up the maintenance page"
	case store.ReleaseApplied:
		return fmt.Sprintf("Chart %s %s, %s", d.Engine, d.Chart, Count(d.Count, "object"))
	case store.ReleaseRecorded:
		return "Revision " + strconv.Itoa(d.Revision)
	case store.ChangesComing:
		return "Waiting for the changes to arrive"
	case store.WorkloadsComing:
		return fmt.Sprintf("%d of %d workloads ready", d.Count, d.Of)
	case store.BackupFirst:
		return "Waiting for the backup"
	case store.PodsStarted:
		return Count(d.Count, "pod") + " started"
	case store.SetupRunning:
		return "Setting up the shop"
	case store.SetupAgain:
		return "Attempt " + strconv.Itoa(d.Count)
	case store.SetupDone:
		return fmt.Sprintf("Setup done; %d of %d workloads ready", d.Count, d.Of)
	case store.SetupFinished:
		return "Setup finished"
	case store.OrderComing:
		return "Placing a test order"
	case store.Retrying:
		return "Retrying: " + Sentence(d.Quote)
	case store.RetryingDenied:
		return "The cluster denied the request: " + Sentence(d.Quote) + " Shopwright retries until the cluster’s administrator allows it."
	}
	return ""
}

// Allowance says what a store of a plan may take.
func Allowance(f store.Figures) string {
	return fmt.Sprintf("%s CPU, %s, %s of disk", Thousandths(int64(f.CPU)), Mebibytes(int64(f.Memory)), Mebibytes(int64(f.Disk)))
}

// Thousandths writes an amount in whole units and thousandths: 1.5 for 1500.
func Thousandths(n int64) string { return strconv.FormatFloat(float64(n)/1000, 'f', -1, 64) }

// Mebibytes writes an amount: 2.5 GiB, and 2561 MiB where a quarter of a GiB does not do.
func Mebibytes(n int64) string {
	const quarter = 256
	if n >= 1024 && n%quarter == 0 {
		return strconv.FormatFloat(float64(n)/1024, 'f', -1, 64) + " GiB"
	}
	return strconv.FormatInt(n, 10) + " MiB"
}

// dataNote is about the step by which a restore point's data get into a new store.
func dataNote(n store.Note) string {
	switch n.Code {
	case store.DataLoading:
		return loading(n.Facts.Doing)
	case store.DataLoaded:
		return "Restored " + Bytes(n.Facts.Bytes)
	case store.DataSimulated:
		return "Simulated: nothing was restored"
	}
	return ""
}

func loading(doing string) string {
	switch doing {
	case "repository":
		return "Opening the repository"
	case "files":
		return "Restoring files"
	case "database":
		return "Restoring the database"
	case "code":
		return "Bringing the shop’s code up to date"
	case "addresses":
		return "Rewriting addresses"
	}
	return join(": ", "Restoring", doing)
}

// removalNote is about a step by which a store is removed.
func removalNote(n store.Note) string {
	d := n.Facts
	switch n.Code {
	case store.ShopStopped:
		return "The shop has stopped"
	case store.DisksRemoved:
		return Count(d.Disks, "disk") + " removed"
	case store.ShopGone:
		return "Pods and disks are deleted"
	case store.DisksKept:
		return "Pods are deleted. The storage class retains the disks, with all orders and customers: " + list(d.Names)
	case store.RemovalGoing:
		return join(": ", "Waiting for the namespace to be deleted", strings.Join(d.Names, "; "))
	case store.NothingLeft:
		return "Nothing is left in the cluster"
	}
	return ""
}

// checkNote is about what came of a check.
func checkNote(n store.Note) string {
	d := n.Facts
	switch n.Code {
	case store.OrderPlaced:
		return fmt.Sprintf("Order %s placed in %s and cancelled", d.Name, d.After)
	case store.CheckoutReached:
		return fmt.Sprintf("Reached checkout in %s", d.After)
	case store.CheckSimulated:
		return "Simulated: no order was placed"
	case store.ShopClosed:
		return "The owner has closed the shop"
	case store.NoCheck:
		return "The engine has no check"
	case store.CheckUnfinished:
		return fmt.Sprintf("It didn’t finish within %s.", d.After)
	case store.CheckBroken:
		return "The check failed with an internal error in Shopwright."
	case store.CheckOutOfMemory:
		return fmt.Sprintf("The check exceeded its memory limit of %s and was killed.", d.Limit)
	case store.CheckUnknown:
		return fmt.Sprintf("This version of Shopwright has no engine %q.", d.Engine)
	}
	return ""
}

// pointNote is about a restore point that was made.
func pointNote(n store.Note) string {
	d := n.Facts
	switch n.Code {
	case store.PointMade:
		locked := ""
		if d.Count > 0 {
			locked = Count(d.Count, "table") + " locked meanwhile"
		}
		return join(", ", fmt.Sprintf("%s in %s, %s added", Bytes(d.Bytes), d.After, Bytes(d.Added)), locked)
	case store.PointSimulated:
		return "Simulated: nothing was written"
	}
	return ""
}

// PointReason says why a restore point was made.
func PointReason(r store.PointReason) string {
	switch r {
	case store.Manual:
		return "By hand"
	case store.OnSchedule:
		return "Scheduled"
	case store.BeforeUpgrade:
		return "Before an upgrade"
	case store.BeforeDeletion:
		return "Before the deletion"
	}
	return string(r)
}

// Bytes writes a size with at most three digits: 1.5 MB for 1,500,000.
func Bytes(n int64) string {
	const step = 1000
	if n < step {
		return strconv.FormatInt(n, 10) + " B"
	}
	size, units := float64(n)/step, "kMGTPE"
	for size >= step-0.5 && len(units) > 1 {
		size, units = size/step, units[1:]
	}
	digits := 0
	if size < 9.95 {
		digits = 1
	}
	return strconv.FormatFloat(size, 'f', digits, 64) + " " + units[:1] + "B"
}

// addressNote is about what a public address answered.
func addressNote(n store.Note) string {
	d := n.Facts
	switch n.Code {
	case store.AddressOfDrill:
		return "A restore drill has no public address"
	case store.AddressSimulated:
		return "Simulated: nothing answers there"
	case store.AddressResponds:
		return fmt.Sprintf("Responds in %d ms", d.After.Milliseconds())
	case store.AddressRedirects:
		return "Redirects to " + d.Name + ", which isn’t checked"
	case store.AddressUnreachable:
		return "Unreachable from Shopwright: " + d.Quote
	case store.AddressTaken:
		return "Another program answers there on this machine"
	case store.AddressFails:
		return fmt.Sprintf("%s returns %s", d.Name, d.Status)
	case store.CertificateInvalid:
		return fmt.Sprintf("The certificate of %s is invalid: %s", d.Name, d.Quote)
	}
	return ""
}

// lossNote is about what a store that was ready lacks.
func lossNote(n store.Note) string {
	d := n.Facts
	switch n.Code {
	case store.NamespaceUnmarked:
		return "The namespace is missing or lost its label."
	case store.NamespaceMissing:
		return "The namespace is missing."
	case store.NamespaceDeleted:
		return "The namespace is being deleted."
	case store.NamespaceOfAnother:
		return "The label of the namespace names another store."
	case store.ReleaseMissing:
		return "The Helm release is missing."
	case store.WorkloadMissing:
		return fmt.Sprintf("The workload %s is missing.", d.Name)
	case store.DisksMissing:
		return fmt.Sprintf("Disks are missing or being deleted: %s.", list(d.Names))
	}
	return ""
}
