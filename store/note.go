package store

// Note is what there is to tell of a step, a check, an address or of what a store lacks, as data:
// package phrase says it in words. It is kept as JSON.
type Note struct {
	Code  NoteCode `json:"code,omitempty"`
	Facts Facts    `json:"facts,omitzero"`
}

// Quote is a note of what somebody else said, such as the cluster or the shop.
func Quote(text string) Note { return Note{Code: Quoted, Facts: Facts{Quote: text}} }

// Storable is the note with all its texts as they are kept.
func (n Note) Storable() Note {
	n.Facts = n.Facts.kept()
	return n
}

// NoteCode says what a note tells.
type NoteCode string

// The codes of notes. Behind each are the facts that it has.
const (
	Quoted NoteCode = "quoted" // Quote

	// Of the steps by which a store is opened or changed.
	NamespaceGoing    NoteCode = "namespace_going"    // an old one, which is waited for: Names of what keeps it
	NamespaceCreated  NoteCode = "namespace_created"  //
	RemainsGoing      NoteCode = "remains_going"      // of the shop, which are waited for: Count of pods, Disks
	LimitsSet         NoteCode = "limits_set"         // Figures
	CredentialsStored NoteCode = "credentials_stored" //
	MaintenanceComing NoteCode = "maintenance_coming" // the page for customers
	ReleaseApplied    NoteCode = "release_applied"    // Engine, Chart, Count of objects
	ReleaseRecorded   NoteCode = "release_recorded"   // Revision
	ChangesComing     NoteCode = "changes_coming"     // the watches do not show them yet
	WorkloadsComing   NoteCode = "workloads_coming"   // Count of those that are ready, Of
	PodsStarted       NoteCode = "pods_started"       // Count
	BackupFirst       NoteCode = "backup_first"       // the work goes on when a backup is done
	SetupRunning      NoteCode = "setup_running"      //
	SetupAgain        NoteCode = "setup_again"        // Count: the number of the attempt
	SetupDone         NoteCode = "setup_done"         // workloads are still waited for: Count of those that are ready, Of
	SetupFinished     NoteCode = "setup_finished"     //
	OrderComing       NoteCode = "order_coming"       // a test order is being placed

	// Of the step by which a restore point's data get into a new store.
	DataLoading   NoteCode = "data_loading"   // Doing: repository, files, database, code or addresses
	DataLoaded    NoteCode = "data_loaded"    // Bytes
	DataSimulated NoteCode = "data_simulated" // the cluster runs no containers

	// Of the steps by which a store is removed.
	ShopStopped  NoteCode = "shop_stopped"  //
	DisksRemoved NoteCode = "disks_removed" // Disks
	ShopGone     NoteCode = "shop_gone"     // its pods and disks
	DisksKept    NoteCode = "disks_kept"    // by the storage class, while the pods are gone: Names
	RemovalGoing NoteCode = "removal_going" // of the namespace, which is waited for: Names of what keeps it
	NothingLeft  NoteCode = "nothing_left"  // in the cluster

	// Of any step.
	Retrying       NoteCode = "retrying"        // Quote
	RetryingDenied NoteCode = "retrying_denied" // what the cluster denied: Quote

	// Of a check. One that failed is told with the step at which it did: Doing.
	OrderPlaced      NoteCode = "order_placed"        // and cancelled: Name of the order, After
	CheckoutReached  NoteCode = "checkout_reached"    // After
	CheckSimulated   NoteCode = "check_simulated"     // the cluster runs no containers
	ShopClosed       NoteCode = "shop_closed"         // by its owner
	NoCheck          NoteCode = "no_check"            // the engine has none
	CheckUnfinished  NoteCode = "check_unfinished"    // After
	CheckBroken      NoteCode = "check_broken"        // by an internal error in Shopwright
	CheckOutOfMemory NoteCode = "check_out_of_memory" // Limit
	CheckUnknown     NoteCode = "check_unknown"       // to this version, with its engine: Engine

	// Of a restore point.
	PointMade      NoteCode = "point_made"      // Bytes, Added, Count of locked tables, After
	PointSimulated NoteCode = "point_simulated" // the cluster runs no containers

	// Of a public address.
	AddressSimulated   NoteCode = "address_simulated"   // nothing answers there
	AddressOfDrill     NoteCode = "address_of_drill"    // it has none
	AddressResponds    NoteCode = "address_responds"    // After
	AddressRedirects   NoteCode = "address_redirects"   // Name of the host
	AddressUnreachable NoteCode = "address_unreachable" // from Shopwright: Quote
	AddressTaken       NoteCode = "address_taken"       // by another program on this machine
	AddressFails       NoteCode = "address_fails"       // Name of the address, Status
	CertificateInvalid NoteCode = "certificate_invalid" // Name of the address, Quote

	// Of what a store that was ready lacks.
	NamespaceUnmarked  NoteCode = "namespace_unmarked"   // it is missing, or has lost its label
	NamespaceMissing   NoteCode = "namespace_missing"    //
	NamespaceDeleted   NoteCode = "namespace_deleted"    // somebody is deleting it
	NamespaceOfAnother NoteCode = "namespace_of_another" // store, by its label
	ReleaseMissing     NoteCode = "release_missing"      //
	WorkloadMissing    NoteCode = "workload_missing"     // Name
	DisksMissing       NoteCode = "disks_missing"        // or going: Names
)
