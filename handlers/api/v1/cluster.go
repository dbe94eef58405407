package v1

import "time"

// ClusterEvent is what some part of Kubernetes reported about an object.
type ClusterEvent struct {
	Warning bool       `json:"warning"`
	Object  string     `json:"object" example:"pod/mariadb-0"`
	Reason  string     `json:"reason" example:"FailedScheduling"`
	Message string     `json:"message"`
	Count   int32      `json:"count"`
	First   *time.Time `json:"first,omitempty"`
	Last    *time.Time `json:"last,omitempty"`
}

// Credentials are what a shop's owner signs in to it with.
type Credentials struct {
	Username string `json:"username"`
	Password string `json:"password"`
	AdminURL string `json:"admin_url"`
}

// InstallationHealth tells what can be used now.
type InstallationHealth struct {
	OK       bool          `json:"ok" doc:"Whether both are available."`
	Version  string        `json:"version"`
	Cluster  ClusterHealth `json:"cluster"`
	Database Database      `json:"database"`
}

// ClusterHealth is the state of the connection to the cluster.
type ClusterHealth struct {
	Name      string     `json:"name"`
	Link      string     `json:"link" enum:"unconfigured,starting,connecting,connected,unreachable,foreign"`
	Version   string     `json:"version,omitempty" example:"v1.37.0"`
	Simulated bool       `json:"simulated" doc:"Whether the nodes are simulated and run no containers."`
	Problem   string     `json:"problem,omitempty"`
	Since     *time.Time `json:"since,omitempty"`
	Capacity  Capacity   `json:"capacity"`
}

// Capacity is how many more stores the nodes of a cluster hold.
type Capacity struct {
	State     string     `json:"state" enum:"unknown,forbidden,counted" doc:"Unknown until the nodes are counted, and while the cluster isn’t connected; forbidden if Shopwright isn’t allowed to list nodes."`
	CountedAt *time.Time `json:"counted_at,omitempty"`
	Room      []Room     `json:"room" nullable:"false"`
}

// Room is how many more stores of an engine fit, if they are all of that engine.
type Room struct {
	Engine string `json:"engine"`
	Stores int    `json:"stores" doc:"Estimated number of further stores, from the requests of the engine’s chart."`
	More   bool   `json:"more" doc:"Whether more than that fit."`
}

// Database is the state of the database.
type Database struct {
	OK      bool   `json:"ok"`
	Problem string `json:"problem,omitempty"`
}
