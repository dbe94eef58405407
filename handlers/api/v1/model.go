// Package v1 holds what version 1 of the API is asked and answers. The API, its reference and the command
// line share it, and it links nothing that does the work.
package v1

import (
	"time"

	"shopwright.dev/shopwright/store"
)

// Store is an online shop.
type Store struct {
	ID         string       `json:"id" example:"019a2b3c-4d5e-7f60-8a9b-0c1d2e3f4a5b"`
	Team       string       `json:"team" doc:"ID of its team."`
	Name       string       `json:"name" example:"Tea & Tonic"`
	Slug       string       `json:"slug" example:"tea-and-tonic" doc:"First part of the host name."`
	Host       string       `json:"host" example:"tea-and-tonic.localhost"`
	URL        string       `json:"url,omitempty" doc:"URL for customers, once the shop is open."`
	AdminURL   string       `json:"admin_url,omitempty"`
	Namespace  string       `json:"namespace" example:"store-tea-and-tonic"`
	Cluster    string       `json:"cluster" example:"local"`
	Engine     string       `json:"engine"`
	Template   string       `json:"template" example:"blank"`
	Country    string       `json:"country" example:"DE"`
	Currency   string       `json:"currency" example:"EUR"`
	OwnerEmail string       `json:"owner_email,omitempty" example:"mara@example.com" doc:"Email address of the owner."`
	Plan       string       `json:"plan" example:"default"`
	Origin     *Origin      `json:"origin,omitempty" doc:"Restore point that the store was opened with; absent for a store that began empty."`
	Status     store.Status `json:"status" enum:"provisioning,ready,degraded,failed,upgrading,sleeping,deleting"`
	Step       store.Step   `json:"step,omitempty" example:"workloads" doc:"Current step of the work on it."`
	Message    string       `json:"message,omitempty" doc:"Details of the step."`
	Generation int64        `json:"generation" doc:"Increases with every requested change."`
	Chart      string       `json:"chart_version,omitempty"`
	Revision   int          `json:"revision,omitempty" doc:"Current revision of the Helm release."`
	Failure    *Failure     `json:"failure,omitempty"`
	Aborted    *Failure     `json:"aborted,omitempty" doc:"Why the latest upgrade or deletion was not started: the backup before it failed. Absent otherwise."`
	Health     *Health      `json:"health,omitempty" doc:"Result of the last order check."`
	CreatedAt  time.Time    `json:"created_at"`
	ReadyAt    *time.Time   `json:"ready_at,omitempty"`
	UpdatedAt  time.Time    `json:"updated_at"`
	Can        []string     `json:"can" nullable:"false" doc:"Actions available to you now: retry, rebuild, repair, check, backup, drill, upgrade, cancel, owner, delete."`
}

// Origin is the restore point that a store was opened with.
type Origin struct {
	Point    string     `json:"point" doc:"ID of the restore point."`
	Store    string     `json:"store" doc:"ID of the store that the point was made of."`
	Name     string     `json:"name" example:"Tea & Tonic" doc:"Name of that store."`
	MadeAt   time.Time  `json:"made_at" doc:"When the point was made."`
	LoadedAt *time.Time `json:"loaded_at,omitempty" doc:"When the new store had the data; absent until then."`
}

// Failure says in plain words why a store, or a backup of it, failed.
type Failure struct {
	Code     string     `json:"code" example:"data_lost" doc:"What happened, for programs. The texts may change; codes don’t."`
	Title    string     `json:"title"`
	Cause    string     `json:"cause,omitempty"`
	Next     string     `json:"next,omitempty" doc:"What to do next."`
	Step     store.Step `json:"step,omitempty"`
	Evidence []Evidence `json:"evidence,omitempty" nullable:"false"`
	HelmLog  []string   `json:"helm_log,omitempty" nullable:"false"`
	Words    []string   `json:"last_words,omitempty" nullable:"false" doc:"Last log lines of the failed container."`
	At       *time.Time `json:"at,omitempty"`
}

// Evidence is one observation in the cluster.
type Evidence struct {
	Object  string     `json:"object" example:"pod/mariadb-0"`
	Reason  string     `json:"reason"`
	Message string     `json:"message"`
	Count   int32      `json:"count,omitempty"`
	Last    *time.Time `json:"last,omitempty"`
}

// Health is what is known of whether a store sells.
type Health struct {
	OK        bool       `json:"ok"`
	Simulated bool       `json:"simulated,omitempty" doc:"No order was placed: the cluster runs no containers."`
	Closed    bool       `json:"closed,omitempty" doc:"The owner has closed the shop."`
	Order     string     `json:"order,omitempty" doc:"Number of the order that was placed and cancelled."`
	Failed    string     `json:"failed_at,omitempty"`
	Message   string     `json:"message,omitempty"`
	Cause     string     `json:"cause,omitempty" doc:"Cause of the failure, from the pods and their logs."`
	Address   string     `json:"address,omitempty" enum:"answers,not_from_here,wrong"`
	CheckedAt *time.Time `json:"checked_at,omitempty"`
	NextCheck *time.Time `json:"next_check,omitempty"`
}

// Work is the latest thing that was asked for, step by step.
type Work struct {
	Title   string     `json:"title" example:"Opening the shop"`
	Running bool       `json:"running"`
	BeganAt *time.Time `json:"began_at,omitempty"`
	Seconds float64    `json:"seconds,omitempty" doc:"Duration in seconds, once finished."`
	Steps   []Step     `json:"steps" nullable:"false"`
}

// Step is one stage of the work.
type Step struct {
	Step    store.Step `json:"step" example:"workloads"`
	Label   string     `json:"label" example:"Workloads"`
	State   string     `json:"state" enum:"todo,running,done,failed"`
	Message string     `json:"message,omitempty"`
	BeganAt *time.Time `json:"began_at,omitempty"`
	Seconds float64    `json:"seconds,omitempty"`
}

// Pod is a pod of a store.
type Pod struct {
	Name       string      `json:"name" example:"mariadb-0"`
	Component  string      `json:"component,omitempty"`
	Phase      string      `json:"phase" example:"Running" doc:"As kubectl shows it."`
	Ready      int         `json:"ready"`
	Want       int         `json:"want" doc:"Expected number of ready containers."`
	Restarts   int32       `json:"restarts"`
	Node       string      `json:"node,omitempty"`
	Message    string      `json:"message,omitempty"`
	CreatedAt  time.Time   `json:"created_at"`
	Containers []Container `json:"containers" nullable:"false"`
}

// Container is one container of a pod.
type Container struct {
	Name     string     `json:"name"`
	Init     bool       `json:"init,omitempty"`
	Image    string     `json:"image"`
	Ready    bool       `json:"ready"`
	Restarts int32      `json:"restarts"`
	State    string     `json:"state,omitempty" example:"running"`
	Reason   string     `json:"reason,omitempty"`
	Message  string     `json:"message,omitempty"`
	ExitCode *int32     `json:"exit_code,omitempty"`
	Since    *time.Time `json:"since,omitempty"`
	HasLog   bool       `json:"has_log"`
}

// PodSummary counts pods.
type PodSummary struct {
	Total    int   `json:"total"`
	Ready    int   `json:"ready"`
	Restarts int32 `json:"restarts"`
}

// Resource is how much of something a store uses, and may.
type Resource struct {
	Name string `json:"name" example:"limits.memory"`
	Used string `json:"used,omitempty" example:"1536Mi"`
	Hard string `json:"hard" example:"8Gi"`
}

// Event is one line of the story of a team.
type Event struct {
	Number  int64        `json:"number" doc:"Increases with every event."`
	Kind    store.Kind   `json:"kind" example:"store.ready"`
	Store   string       `json:"store,omitempty" doc:"ID of the store."`
	Team    string       `json:"team,omitempty"`
	Object  string       `json:"object,omitempty" doc:"Name of the object at that time."`
	Step    store.Step   `json:"step,omitempty"`
	Status  store.Status `json:"status,omitempty" doc:"Status of the store after the event."`
	Message string       `json:"message,omitempty"`
	Actor   string       `json:"actor,omitempty" doc:"Who requested it; empty for Shopwright itself."`
	Token   string       `json:"token,omitempty" doc:"Name of the token used."`
	At      time.Time    `json:"at"`
}
