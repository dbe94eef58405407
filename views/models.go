// Package views renders the pages and their parts. Each view model holds exactly what is displayed, so
// that every state of a page can be rendered without a server.
//
// It is pure: it knows the names of the static files, but not the database, the cluster or HTTP.
package views

import "time"

// Shell is the frame of every page of a signed-in user.
type Shell struct {
	Title    string // of the page, without the product name
	Place    Place  // the current one in the sidebar
	User     User
	Stores   int // living stores that the user can see, for the sidebar
	Cluster  Cluster
	Notices  []Notice // about what was just done, shown once
	Stream   string   // URL of the page's event stream; empty if the page is not live
	Keep     bool     // scripts must not refresh the page, because a reload would not show the same
	Version  string
	CanBuild bool // whether the user may create a store
	Admin    bool // whether the user administers the installation
}

// Place is one of the places in the sidebar.
type Place string

// The places.
const (
	PlaceStores   Place = "stores"
	PlaceActivity Place = "activity"
	PlaceTeams    Place = "teams"
	PlaceAccount  Place = "account"
	PlaceAdmin    Place = "admin"
)

// User is the signed-in person.
type User struct {
	Name     string
	Email    string
	Initials string
}

// Notice is a message to the user.
type Notice struct {
	Kind    Tone
	Title   string
	Message string
}

// Tone is how urgent something is.
type Tone string

// The tones, from the least to the most urgent.
const (
	TonePlain Tone = "plain"
	ToneOK    Tone = "ok"
	ToneWarn  Tone = "warn"
	ToneBad   Tone = "bad"
)

// ClusterLink is the state of the connection to the cluster.
type ClusterLink string

// The states of a connection.
const (
	ClusterNone        ClusterLink = "unconfigured" // none is configured
	ClusterStarting    ClusterLink = "starting"     // being built or started
	ClusterConnecting  ClusterLink = "connecting"
	ClusterConnected   ClusterLink = "connected"
	ClusterUnreachable ClusterLink = "unreachable"
	ClusterForeign     ClusterLink = "foreign" // a different cluster answers at its address
)

// Cluster is the state of the cluster, which every page shows.
type Cluster struct {
	Name      string
	Link      ClusterLink
	Version   string
	Simulated bool   // its nodes run no containers
	Message   string // what is being started, or what is wrong
	Done      int    // of Total, while starting; Total is 0 if unknown
	Total     int
	Since     time.Time
}

// Status is the state of a store: provisioning, ready, degraded, failed, upgrading,
// sleeping or deleting.
type Status string

// The statuses.
const (
	Provisioning Status = "provisioning"
	Ready        Status = "ready"
	Degraded     Status = "degraded"
	Failed       Status = "failed"
	Upgrading    Status = "upgrading"
	Sleeping     Status = "sleeping"
	Deleting     Status = "deleting"
)

// Label is the display name of the status.
func (s Status) Label() string {
	if s == "" {
		return ""
	}
	return string(s[0]-'a'+'A') + string(s[1:])
}

// SignInPage is the sign-in page.
type SignInPage struct {
	Providers []Provider
	DevLogin  bool   // whether anybody on this machine may sign in as the developer
	Notice    string // why the page is shown, for example after signing out
	Problem   string // why the sign-in failed
	Next      string // local path to go to afterwards
	Again     bool   // a signed-in user signs in again
	Version   string
}

// LoginLinkPage is the page of a one-time login link.
type LoginLinkPage struct {
	Key     string
	Problem string // why it cannot be used
	Version string
}

// Provider is a sign-in provider.
type Provider struct {
	Name  string // in URLs
	Label string
}

// StoresPage is the page with the list of stores.
type StoresPage struct {
	Shell   Shell
	List    StoreList
	Create  CreateForm // in the dialog, and on the page without stores
	Deleted bool       // whether there are restore points of deleted stores that the user may restore
}

// StoreList is the list with its filters.
type StoreList struct {
	Rows     []StoreRow
	Counts   []StatusCount // of the tabs, All first, with Status empty
	Search   string
	Status   Status
	Engine   string
	Sort     string // newest, oldest or name
	Engines  []Choice
	Team     string   // id of the team in the filter
	Teams    []Choice // empty if there is only one
	From     int      // number of the first row shown, from 1; 0 when there is none
	To       int
	Total    int
	Previous string    // address of that page, empty on the first
	Next     string    // address of that page, empty on the last
	Empty    bool      // there is no store at all, whatever the filter
	AsOf     time.Time // since when the cluster is unreachable; zero if it is not
}

// Filtered reports whether a search or filter is set.
func (l StoreList) Filtered() bool {
	return l.Search != "" || l.Status != "" || l.Engine != "" || l.Team != ""
}

// StatusCount is one tab of the list.
type StatusCount struct {
	Status  Status
	Label   string
	Count   int
	URL     string
	Current bool
}

// StoreRow is a store in the list.
type StoreRow struct {
	ID        string
	Name      string
	Host      string
	Team      string // its name, if the user has several
	URL       string // of the shop, empty until it is ready
	Status    Status
	Detail    string    // second line: the progress, or what is wrong
	Since     time.Time // of the running work; zero when nothing runs
	Ticks     []Tick
	Engine    string
	Letter    string
	CreatedAt time.Time
	CanRetry  bool
	CanDelete bool
}

// Tick is the state of one step in the strip of steps.
type Tick string

// The states of a step.
const (
	TickDone    Tick = "done"
	TickRunning Tick = "run"
	TickToDo    Tick = "todo"
	TickBad     Tick = "bad"
)

// Choice is one option of a select or group of radio cards.
type Choice struct {
	Value       string
	Label       string
	Letter      string
	Description string
	Selected    bool
}

// EngineChoice is an engine with its templates.
type EngineChoice struct {
	Choice
	Templates []Choice
}

// CountryChoice is a country with its currency.
type CountryChoice struct {
	Choice
	Currency string
}

// SignedOutPage is shown for a form that was sent without a session.
type SignedOutPage struct {
	Action  string
	Fields  []Fact
	Version string
}

// CreateForm is the form for a new store, as typed so far.
type CreateForm struct {
	Key             string       // see FormKey
	Restore         *RestoreFrom // nil for a store that begins empty
	Name            string
	NameError       string
	Teams           []Choice // in which the user may create stores; none when there is only one
	TeamError       string
	Slug            string // as typed; empty while it follows the name
	Address         Address
	Engines         []EngineChoice
	EngineError     string
	TemplateError   string // of the engine that is selected
	Countries       []CountryChoice
	CountryError    string
	Currencies      []Choice
	CurrencyError   string
	OwnerEmail      string
	OwnerEmailError string
	BaseDomain      string
	Scheme          string // http or https
	PortSuffix      string // such as :8081, or empty
	Quota           Quota
	Pace            string // how soon another store can be created, if not at once
	Problem         string // what is wrong with the request as a whole
	Waits           string // why the store has to wait in the queue; empty if it does not
	NoRoom          string // what the nodes have no room for; empty if they have room
}

// Quota is the limit that the next store reaches first.
type Quota struct {
	Of      string // whose stores are counted, such as Your stores
	Used    int
	Allowed int    // 0 for no limit
	Refusal string // why no more can be created, and what to do; empty while the limit is not reached
}

// Address is the result of checking the typed or proposed address.
type Address struct {
	Slug    string // the proposal, or what was typed
	Error   string // why it cannot be used
	Free    string // a free alternative, if the address is taken
	Checked bool   // whether the server has checked it
}

// CreatePage is the create form as a page of its own.
type CreatePage struct {
	Shell Shell
	Form  CreateForm
}

// Tab is one of a store's tabs.
type Tab string

// The tabs.
const (
	TabOverview Tab = "overview"
	TabPods     Tab = "pods"
	TabEvents   Tab = "events"
	TabLogs     Tab = "logs"
	TabReleases Tab = "releases"
	TabBackups  Tab = "backups"
	TabSettings Tab = "settings"
)

// StorePage is the page of a store with one of its tabs.
type StorePage struct {
	Shell    Shell
	Head     StoreHead
	Tabs     StoreTabs
	Overview *Overview // only the field of the shown tab is set
	Pods     *PodsTab
	Events   *EventsTab
	Logs     *LogsTab
	Releases *ReleasesTab
	Backups  *BackupsTab
	Settings *SettingsTab
}

// StoreHead is the top of a store's page.
type StoreHead struct {
	ID       string
	Name     string
	Slug     string
	Host     string
	URL      string // of the shop, empty until it is ready
	AdminURL string
	Status   Status
	Engine   string
	Plan     string
	Cluster  string
	Pods     string // how many are ready, for a ready shop with unready pods

	CanRetry   bool
	CanRebuild bool
	CanRepair  bool
	CanDelete  bool
	Cancel     string // label of the button that cancels the change in progress; empty if there is none
}

// StoreTabs is the bar of tabs.
type StoreTabs struct {
	ID      string
	Current Tab
	Pods    int
}

// Fact is a name with a value.
type Fact struct {
	Name  string
	Value string
	Code  bool // whether the value is the name of an object
	URL   string
	At    time.Time // in place of the value
}

// Entry is one line of a list of activity: who did what to which object.
type Entry struct {
	At     time.Time
	Kind   EntryKind
	Actor  string // Shopwright for the platform itself; empty if the verb needs no subject
	Verb   string // such as "created"
	Object string
	URL    string // of the object, if it still exists
	Detail string // more about it
	Tone   Tone
}

// EntryKind says what an entry is about.
type EntryKind string

// The kinds of entries; others have no icon of their own.
const (
	EntryStore  EntryKind = "store"
	EntryRetry  EntryKind = "retry"
	EntryDelete EntryKind = "delete"
	EntryLogin  EntryKind = "login" // to the shop
	EntrySign   EntryKind = "sign"  // in or out
	EntryTeam   EntryKind = "team"  // and its members
)

// Credentials is the owner's login to the shop.
type Credentials struct {
	StoreID  string
	Can      bool // whether the user may see them
	Ready    bool // whether they exist yet
	Shown    bool
	Username string
	Password string
	AdminURL string
	Problem  string // why they cannot be shown now
}

// PodsTab lists a store's pods.
type PodsTab struct {
	Pods      []Pod
	Known     bool // whether the cluster can be asked
	Simulated bool
}

// Pod is a pod and its containers.
type Pod struct {
	Name       string
	Component  string
	Phase      string
	Tone       Tone
	Ready      string // such as 1/2
	Restarts   int32
	Node       string
	CreatedAt  time.Time
	Message    string
	Containers []Container
}

// Container is one container of a pod.
type Container struct {
	Name     string
	Init     bool
	Image    string
	State    string // such as Running, Waiting or Completed
	Tone     Tone
	Reason   string
	Message  string
	Restarts int32
	Since    time.Time
}

// EventsTab lists what the cluster reported about a store, newest first.
type EventsTab struct {
	Events []Event
	Known  bool // whether the cluster can be asked
}

// Event is a Kubernetes event.
type Event struct {
	Warning bool
	Object  string
	Reason  string
	Message string
	Count   int32
	Last    time.Time
}

// SettingsTab is the tab with the settings of a store.
type SettingsTab struct {
	Facts  []Fact
	Owner  OwnerForm
	Delete DeleteForm
}

// OwnerForm is the form for the address of a store's owner.
type OwnerForm struct {
	StoreID string
	Email   string // as typed, or the present one
	Error   string
	Text    string // what the address is for
	Hint    string // what a change involves, or when it is possible
	Can     bool   // whether the user may change it
}

// DeleteForm asks for the name of the store to delete.
type DeleteForm struct {
	ID        string
	Name      string
	Host      string
	Namespace string
	Typed     string
	Error     string
	Can       bool
	Retains   bool // the storage class keeps the disks
	BacksUp   bool // a backup can come first
	Backup    bool // and is to
}

// DeletePage is the delete form as a page of its own.
type DeletePage struct {
	Shell Shell
	Head  StoreHead
	Form  DeleteForm
}

// ActivityPage lists what people did, and how it ended.
type ActivityPage struct {
	Shell   Shell
	Entries []Entry
	Older   string // address of the next page, empty on the last
	Audit   bool   // whether the user may read an audit log
}

// ErrorPage says what is wrong and where to go.
type ErrorPage struct {
	Code      int
	Title     string
	Message   string
	RequestID string // to find the request in the log; empty if that does not help
	SignedIn  bool
	Version   string
}
