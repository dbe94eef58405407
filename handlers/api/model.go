package api

import (
	"strings"
	"time"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/legible"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
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
	Status     store.Status `json:"status" enum:"provisioning,ready,degraded,failed,upgrading,sleeping,deleting"`
	Step       store.Step   `json:"step,omitempty" example:"workloads" doc:"Current step of the work on it."`
	Message    string       `json:"message,omitempty" doc:"Details of the step."`
	Generation int64        `json:"generation" doc:"Increases with every requested change."`
	Chart      string       `json:"chart_version,omitempty"`
	Revision   int          `json:"revision,omitempty" doc:"Current revision of the Helm release."`
	Failure    *Failure     `json:"failure,omitempty"`
	Health     *Health      `json:"health,omitempty" doc:"Result of the last order check."`
	CreatedAt  time.Time    `json:"created_at"`
	ReadyAt    *time.Time   `json:"ready_at,omitempty"`
	UpdatedAt  time.Time    `json:"updated_at"`
	Can        []string     `json:"can" nullable:"false" doc:"Actions available to you now: retry, rebuild, repair, check, upgrade, cancel, owner, delete."`
}

// Failure says in plain words why a store failed.
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

// at is the time, or nothing for one that has not come.
func at(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// word is what should be a name, as others may have written it.
func word(text string) string { return strings.Join(strings.Fields(legible.Text(text)), " ") }

func (a *API) storeOf(who store.Actor, st store.Store) Store {
	return Store{
		ID: st.ID, Team: st.TeamID, Name: st.Name, Slug: st.Slug, Host: st.Host, URL: address(st, st.URL), AdminURL: address(st, st.AdminURL),
		Namespace: st.Namespace, Cluster: a.Provisioner.Cluster().Name, Engine: st.Engine, Template: st.Template,
		Country: st.Country, Currency: st.Currency, OwnerEmail: st.OwnerEmail, Plan: st.Plan, Status: st.Status, Step: st.Job.Step, Message: legible.Text(st.Job.Message),
		Generation: st.Generation, Chart: st.ChartVersion, Revision: st.Revision, Failure: failureOf(st), Health: healthOf(st),
		CreatedAt: st.CreatedAt, ReadyAt: at(st.ReadyAt), UpdatedAt: st.UpdatedAt, Can: actionsOn(who, st),
	}
}

// address is one of the shop, once somebody can go there.
func address(st store.Store, url string) string {
	if st.Status == store.Deleting {
		return ""
	}
	return url
}

func actionsOn(who store.Actor, st store.Store) []string {
	can := []string{}
	for _, c := range []struct {
		name   string
		action store.Action
		now    bool
	}{
		{"retry", store.RetryStores, st.CanRetry()}, {"rebuild", store.RetryStores, st.CanRebuild()},
		{"repair", store.RetryStores, st.CanRepair()}, {"check", store.RetryStores, st.CanCheck()},
		{"upgrade", store.UpgradeStores, st.CanChange()}, {"cancel", store.UpgradeStores, st.CanCancel()},
		{"owner", store.UpgradeStores, st.CanChangeOwner()},
		{"delete", store.DeleteStores, st.CanDelete()},
	} {
		if c.now && who.May(c.action, st.TeamID) {
			can = append(can, c.name)
		}
	}
	return can
}

func failureOf(st store.Store) *Failure {
	f := st.Job.Failure
	if st.Status != store.Failed || f.Code == "" {
		return nil
	}
	said := phrase.Failure(f)
	shown := &Failure{Code: string(f.Code), Title: legible.Text(said.Title), Cause: legible.Text(said.Cause), Next: legible.Text(said.Next), Step: f.Step, At: at(f.At)}
	for _, e := range f.Evidence {
		shown.Evidence = append(shown.Evidence, Evidence{Object: word(e.Object), Reason: word(e.Reason), Message: legible.Text(e.Message), Count: e.Count, Last: at(e.Last)})
	}
	for _, line := range f.HelmLog {
		shown.HelmLog = append(shown.HelmLog, legible.Text(line))
	}
	for _, line := range f.LastWords.Lines {
		shown.Words = append(shown.Words, legible.Text(line))
	}
	return shown
}

func healthOf(st store.Store) *Health {
	c := st.Health.Last
	if c.At.IsZero() {
		return nil
	}
	return &Health{
		OK: c.OK, Simulated: c.Simulated, Closed: c.Closed, Order: word(c.Order), Failed: word(c.Failed), Message: legible.Text(c.Message), Cause: legible.Text(c.Cause),
		Address: string(c.Address.Outcome), CheckedAt: at(c.At), NextCheck: at(st.CheckDue),
	}
}

func podOf(p kube.Pod) Pod {
	pod := Pod{
		Name: p.Name, Component: p.Component, Phase: word(p.Phase), Ready: p.Ready, Want: p.Want, Restarts: p.Restarts, Node: p.Node,
		Message: legible.Text(p.Message), CreatedAt: p.CreatedAt, Containers: []Container{},
	}
	for _, c := range p.Containers {
		shown := Container{
			Name: c.Name, Init: c.Init, Image: word(c.Image), Ready: c.Ready, Restarts: c.Restarts, State: c.State.Kind,
			Reason: word(c.State.Reason), Message: legible.Text(c.State.Message), Since: at(c.State.Since), HasLog: c.HasLog(false),
		}
		if c.State.Kind == "terminated" {
			shown.ExitCode = &c.State.ExitCode
		}
		pod.Containers = append(pod.Containers, shown)
	}
	return pod
}

func summaryOf(pods []kube.Pod) PodSummary {
	s := PodSummary{}
	for _, p := range pods {
		if p.Ended {
			continue
		}
		s.Total++
		s.Restarts += p.Restarts
		if p.Ready == p.Want {
			s.Ready++
		}
	}
	return s
}

func eventOf(e store.Event) Event {
	line := phrase.Event(e)
	return Event{
		Number: e.Number, Kind: e.Kind, Store: e.StoreID, Team: e.TeamID, Object: word(line.Object), Step: e.Step, Status: e.Data.Status,
		Message: legible.Text(line.Message), Actor: word(e.Actor), Token: word(e.Token), At: e.At,
	}
}
