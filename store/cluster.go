package store

import "time"

// Cluster is a Kubernetes cluster where stores are placed.
type Cluster struct {
	ID           string
	Name         string
	BaseDomain   string
	IngressClass string
	StorageClass string
	UID          string // of its kube-system namespace; empty until first seen
	Version      string // of its API server
	Simulated    bool   // its nodes run no containers
	SeenAt       time.Time
}

// ClusterSettings are what the configuration says of the cluster it names.
type ClusterSettings struct {
	Name         string
	BaseDomain   string
	IngressClass string
	StorageClass string
}

// QueueEntry is a store on which there is work for the platform.
type QueueEntry struct {
	Store Store
	Team  string // its name
	Held  bool   // whether a process works on it at this moment
}

// ClusterAccount is a cluster as the administrators of the installation see one.
type ClusterAccount struct {
	Cluster
	Stores    int // living
	Troubled  int // of those, failed or degraded
	Promised  Take
	CreatedAt time.Time
	// ReplacedAt is when another cluster took its place, because it was lost; zero for never.
	ReplacedAt time.Time
}

// Take is how much of a cluster something may take, in the units of a [Plan].
type Take struct{ CPU, Memory, Disk, Pods int }

// ChartUse is how many living stores run a version of an engine's chart.
type ChartUse struct {
	Engine  string
	Version string // empty while no release is in place
	Stores  int
}

// Versions are the versions of the database and of the software in the stores.
type Versions struct {
	Database string // its name and version
	Schema   int64
	Charts   []ChartUse
}
