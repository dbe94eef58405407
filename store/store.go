// Package store holds what Shopwright keeps records of, users, teams, clusters, stores, the work on
// them and the events that tell their story, and the rules about it: who may do what, which status may
// follow which, what a failure leads to. It is pure: package database keeps the records.
//
// It knows nobody: not a database, not HTTP, not Kubernetes, not Helm.
package store

import (
	"slices"
	"time"
)

// Store is one online shop: what somebody asked for and how far it has come.
type Store struct {
	ID        string
	TeamID    string
	ClusterID string
	Name      string // free text, as its owner typed it
	Slug      string // DNS label, unique among living stores
	Namespace string // Kubernetes namespace, unique among living stores
	Host      string // public host name, unique among living stores
	Engine    string
	Template  string
	Country   string // ISO 3166
	Currency  string // ISO 4217
	// OwnerEmail is to where the shop writes, and where its customers' replies go; empty for none.
	OwnerEmail string
	Plan       string
	Purpose    Purpose
	Origin     Origin // the restore point it is opened with

	Status             Status
	Desired            Desired
	Generation         int64 // counts what was asked for: create, retry, upgrade, delete
	ObservedGeneration int64 // the generation that was last brought to its end
	Job                Job   // the newest of those that only one at a time may do; it may have ended

	Revision     int // of the Helm release that is in place; zero for none yet
	Sold         int // the newest revision with which the store was ready; zero for none yet
	ChartVersion string
	URL          string
	AdminURL     string
	Volumes      []string // names of the volume claims that hold its data, since it was ready
	Health       Health
	CheckDue     time.Time // when it is to be checked next; zero for never
	CheckAsked   bool      // somebody waits for that check, which places an order

	CreatedBy string
	CreatedAt time.Time
	ReadyAt   time.Time // zero until the store was ready for the first time
	DeletedAt time.Time // zero while the store lives
	UpdatedAt time.Time
}

// Status is the state of a store in one word.
type Status string

// The statuses a store can have. Deleted stores are archived and in no list.
const (
	Provisioning Status = "provisioning"
	Ready        Status = "ready"
	Degraded     Status = "degraded"
	Failed       Status = "failed"
	Upgrading    Status = "upgrading"
	Sleeping     Status = "sleeping"
	Deleting     Status = "deleting"
	Deleted      Status = "deleted"
)

// Statuses are those that a living store can have, in the order they are shown.
func Statuses() []Status {
	return []Status{Provisioning, Ready, Degraded, Failed, Upgrading, Sleeping, Deleting}
}

// Desired is what should become of a store.
type Desired string

// A store should be there, or should be gone.
const (
	Present Desired = "present"
	Absent  Desired = "absent"
)

// Step is a stage of the work on a store.
type Step string

// The steps of opening a store, in order, then those of removing one, then those of a backup.
const (
	StepQueued      Step = "queued"
	StepNamespace   Step = "namespace"
	StepLimits      Step = "limits"
	StepCredentials Step = "credentials"
	StepRelease     Step = "release"
	StepData        Step = "data" // of a store that is opened with a restore point
	StepWorkloads   Step = "workloads"
	StepSetup       Step = "setup"
	StepCheck       Step = "check"
	StepAddress     Step = "address"
	StepReady       Step = "ready"

	StepUninstall Step = "uninstall"
	StepVolumes   Step = "volumes"
	StepRemove    Step = "remove"
	StepGone      Step = "gone"

	StepRepository Step = "repository"
	StepDatabase   Step = "database"
	StepFiles      Step = "files"
	StepManifest   Step = "manifest"
)

// CreateSteps are the steps of opening a store, in order.
func CreateSteps() []Step {
	return []Step{StepQueued, StepNamespace, StepLimits, StepCredentials, StepRelease, StepWorkloads, StepSetup, StepCheck, StepAddress, StepReady}
}

// RestoreSteps are the steps of opening a store with a restore point, in order.
func RestoreSteps() []Step {
	steps := CreateSteps()
	return slices.Insert(steps, slices.Index(steps, StepWorkloads), StepData)
}

// ChangeSteps are the steps of an upgrade and of a rollback, in order.
func ChangeSteps() []Step {
	return []Step{StepQueued, StepRelease, StepWorkloads, StepSetup, StepCheck, StepAddress, StepReady}
}

// DeleteSteps are the steps of removing a store, in order.
func DeleteSteps() []Step {
	return []Step{StepQueued, StepUninstall, StepVolumes, StepRemove, StepGone}
}

// BackupSteps are the steps of making a restore point, in order. The containers of the chart's backup
// have these names.
func BackupSteps() []Step {
	return []Step{StepQueued, StepRepository, StepDatabase, StepFiles, StepManifest}
}

// Living reports whether the store has not been archived yet.
func (s Store) Living() bool { return s.DeletedAt.IsZero() }

// CanRetry reports whether a person may set the work going again.
func (s Store) CanRetry() bool {
	return s.Status == Failed && s.Desired == Present && !s.IsDrill()
}

// CanRebuild reports whether a person may have the shop opened anew, empty or with a restore point of it.
func (s Store) CanRebuild() bool {
	return s.CanRetry() && (s.Job.Failure.Code == DataLost || s.Job.Change.Kind == Rebuild)
}

// Rebuild opens the shop of a store anew, which has lost its data. The origin is one of the store's own restore points,
// or zero for a shop that begins empty.
func (s *Store) Rebuild(with Origin, actor Actor) Event {
	return s.rebuild(with, Change{Kind: Rebuild}, actor)
}

// RebuildElsewhere is [Store.Rebuild] in a cluster that takes the place of a lost one, where nothing of the store is.
func (s *Store) RebuildElsewhere(with Origin, actor Actor) Event {
	return s.rebuild(with, Change{Kind: Rebuild, Elsewhere: true}, actor)
}

func (s *Store) rebuild(with Origin, change Change, actor Actor) Event {
	s.Origin = with
	s.Status, s.Volumes, s.Sold = Provisioning, nil, 0
	s.StartJob(ChangeJob, change, actor)
	e := EventOf(*s, actor, StoreRebuilt)
	e.Data.PointAt = with.MadeAt
	return e
}

// CanRepair reports whether the store can be brought back to what its chart says.
func (s Store) CanRepair() bool {
	return (s.Status == Ready || s.Status == Degraded) && s.Desired == Present && !s.IsDrill()
}

// Wanted reports whether there is work on the store for the platform.
func (s Store) Wanted() bool {
	return s.Status == Provisioning || s.Status == Upgrading || s.Status == Deleting
}

// CanDelete reports whether a person may ask for the store's removal. A removal that
// failed can be asked for again.
func (s Store) CanDelete() bool {
	return s.Living() && s.Status != Deleting
}

// Namespace returns the Kubernetes namespace of the store with that slug.
func Namespace(slug string) string { return "store-" + slug }
