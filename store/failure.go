package store

import "time"

// Failure is why work on a store failed, as data: package phrase says it in words. It is kept as JSON.
type Failure struct {
	Code     FailureCode `json:"code,omitempty"`
	Facts    Facts       `json:"facts,omitzero"`
	Note     Note        `json:"note,omitzero"`  // what was waited for, or what was answered
	Step     Step        `json:"step,omitempty"` // where it stopped
	Evidence []Evidence  `json:"evidence,omitempty"`
	HelmLog  []string    `json:"helm_log,omitempty"`
	// LastWords are of the container that ended badly, if one did.
	LastWords LastWords `json:"last_words,omitzero"`
	At        time.Time `json:"at,omitzero"`
}

// FailureCode says what happened. The provisioner finds out, and package phrase has the words of each.
type FailureCode string

// The codes of failures. Behind each are the facts from which its sentences are made.
const (
	ChangeWasCancelled FailureCode = "cancelled" // a person has ended the change: Person

	NamespaceTaken      FailureCode = "namespace_taken"       // it is not the store's: Namespace
	LabelLost           FailureCode = "label_lost"            // from the store's namespace: Namespace, Label, StoreID, Going
	CredentialsLost     FailureCode = "credentials_lost"      // while there are disks: Namespace, Name
	StillThere          FailureCode = "still_there"           // something of a store is in a cluster that should have nothing of it: Namespace
	DataLost            FailureCode = "data_lost"             // volumes are gone which the store had when it was ready: Namespace, Names, Going
	NoDefaultStorage    FailureCode = "no_default_storage"    // class in the cluster: Names
	NoStorageClass      FailureCode = "no_storage_class"      // of the name that the settings have: Name, Names
	NoIngressClass      FailureCode = "no_ingress_class"      // likewise: Name, Names
	PlanTooSmall        FailureCode = "plan_too_small"        // for a store of the engine: Engine, Plan, Shortages
	SharedSecretGone    FailureCode = "shared_secret_gone"    // that every store gets a copy of: Namespace, Name
	EngineUnknown       FailureCode = "engine_unknown"        // to this version: Engine
	RequestDenied       FailureCode = "request_denied"        // by the cluster: Quote
	RevisionLost        FailureCode = "revision_lost"         // that a change goes to: Namespace, Revision
	ReleaseLocked       FailureCode = "release_locked"        // by another Helm operation: Name, Revision, Status, Since
	PodsRefused         FailureCode = "pods_refused"          // by admission: Object, Quote
	NoNodeForPod        FailureCode = "no_node_for_pod"       // Pod, After, Problem, Quote
	ImageNotPulled      FailureCode = "image_not_pulled"      // Pod, Container, Image
	ContainerCrashing   FailureCode = "container_crashing"    // Pod, Container, Count, ExitCode
	ContainerNotStarted FailureCode = "container_not_started" // Pod, Container, Quote
	OutOfMemory         FailureCode = "out_of_memory"         // Pod, Container, Limit
	DatabaseRefuses     FailureCode = "database_refuses"      // the shop: Pod, Container, Problem
	DiskNotCreated      FailureCode = "disk_not_created"      // Object, Quote
	VolumeNotMounted    FailureCode = "volume_not_mounted"    // Object, Quote
	SetupFailed         FailureCode = "setup_failed"          // Name of the job, Count of attempts, Quote
	SetupStepFailed     FailureCode = "setup_step_failed"     // Count of attempts, Doing, Quote
	OrderFailed         FailureCode = "order_failed"          // the check that opens a store: Doing, and its note
	AddressWrong        FailureCode = "address_wrong"         // it leads to something else, which its note tells
	TimedOut            FailureCode = "timed_out"             // After, Pod, Container, Problem, and a note of what was waited for
	// These two are causes of a check that failed, and have no title.
	DiskFull     FailureCode = "disk_full"      // Pod, Quote
	PodsNotReady FailureCode = "pods_not_ready" // Count of those that are ready, Of, Names of the others

	// Of a backup.
	TargetSealed      FailureCode = "target_sealed"      // its key was sealed with another secret key: Name
	BackupUnsupported FailureCode = "backup_unsupported" // by the chart in place: Chart
	BackupStepFailed  FailureCode = "backup_step_failed" // Doing, ExitCode, Quote
	RepositoryForeign FailureCode = "repository_foreign" // the store's password doesn't open it: Name of the target
	BackupOverdue     FailureCode = "backup_overdue"     // its Job has reached its deadline: Doing

	// Of a store that is opened with a restore point. TargetSealed and RepositoryForeign are as well, at the step data.
	PointGone          FailureCode = "point_gone"          // its snapshots or its record: Name of the target, empty for the record
	PointNewer         FailureCode = "point_newer"         // it is of a newer program than this store has: Quote says of which
	RestoreUnsupported FailureCode = "restore_unsupported" // by the chart in place: Chart
	RestoreStepFailed  FailureCode = "restore_step_failed" // Doing, ExitCode, Quote
	RestoreOverdue     FailureCode = "restore_overdue"     // its Job has reached its deadline: Doing

	DrillWasCancelled FailureCode = "drill_cancelled" // Person, if somebody has cancelled it

	InternalError FailureCode = "internal_error" // in Shopwright
)

// Problem tells apart what is behind failures of one code.
type Problem string

// The problems there are.
const (
	// Of a database that does not let a shop in.
	WrongPassword Problem = "wrong_password"
	AccessDenied  Problem = "access_denied"
	NotResponding Problem = "not_responding"
	Unreachable   Problem = "unreachable"
	NameNotFound  Problem = "name_not_found"

	// Of a pod for which no node has room: what is lacking.
	NoUnboundDisks Problem = "unbound_disks" // the disks are not there yet
	NoNodeOfDisks  Problem = "node_of_disks" // the disks are on a node that is away
	NoNeighbour    Problem = "neighbour"     // the pod must run beside another one
	NoMemory       Problem = "memory"
	NoCPU          Problem = "cpu"
	NoPods         Problem = "pods"
	NoUntainted    Problem = "untainted" // nodes are for special pods only
	NoRoom         Problem = "room"

	// Of a container that a store waits for until the time is over.
	NotFinished Problem = "not_finished"
	NotReady    Problem = "not_ready"
)

// Facts are the values from which sentences are made: names, counts and times, and quotes of what the
// cluster, Helm or the shop itself said, which stay as they are. Each code names those that it has.
type Facts struct {
	Namespace string        `json:"namespace,omitempty"`
	StoreID   string        `json:"store,omitempty"`
	Label     string        `json:"label,omitempty"`  // key of a label in Kubernetes
	Object    string        `json:"object,omitempty"` // kind/name in Kubernetes
	Pod       string        `json:"pod,omitempty"`
	Container string        `json:"container,omitempty"`
	Image     string        `json:"image,omitempty"`
	Name      string        `json:"name,omitempty"`
	Names     []string      `json:"names,omitempty"`
	Engine    string        `json:"engine,omitempty"`
	Chart     string        `json:"chart,omitempty"` // its version
	Plan      string        `json:"plan,omitempty"`
	Person    string        `json:"person,omitempty"` // name of a user; empty for the platform itself
	Problem   Problem       `json:"problem,omitempty"`
	Going     bool          `json:"going,omitempty"` // it is being deleted
	Count     int           `json:"count,omitempty"`
	Of        int           `json:"of,omitempty"`
	Disks     int           `json:"disks,omitempty"`
	Figures   Figures       `json:"figures,omitzero"` // of a plan
	ExitCode  int32         `json:"exit_code,omitempty"`
	Limit     string        `json:"limit,omitempty"` // of memory, as Kubernetes writes it
	Revision  int           `json:"revision,omitempty"`
	Status    string        `json:"status,omitempty"` // of a Helm release
	Since     time.Time     `json:"since,omitzero"`
	After     time.Duration `json:"after,omitempty"`
	Bytes     int64         `json:"bytes,omitempty"`
	Added     int64         `json:"added,omitempty"` // bytes, to a repository
	Shortages []Shortage    `json:"shortages,omitempty"`
	Doing     string        `json:"doing,omitempty"` // what failed, in the words of the chart's setup or check
	Quote     string        `json:"quote,omitempty"`
}

// Shortage is an amount that a store needs and its plan does not allow.
type Shortage struct {
	Resource string `json:"resource"` // of a quota in Kubernetes, such as limits.cpu
	Needs    string `json:"needs"`    // with its unit, where it has one
	Allows   string `json:"allows"`
}

// LastWords are the last lines of a container's log.
type LastWords struct {
	Pod       string   `json:"pod,omitempty"`
	Container string   `json:"container,omitempty"`
	Lines     []string `json:"lines,omitempty"`
}

// Evidence is one observation in the cluster that explains a failure, unchanged.
type Evidence struct {
	Object  string    `json:"object"` // kind/name, such as pod/mariadb-0
	Reason  string    `json:"reason"`
	Message string    `json:"message"`
	Count   int32     `json:"count,omitempty"`
	Last    time.Time `json:"last,omitzero"`
}

// Brief is the failure without what explains it, which is much.
func (f Failure) Brief() Failure {
	return Failure{Code: f.Code, Facts: f.Facts, Note: f.Note, Step: f.Step, At: f.At}
}
