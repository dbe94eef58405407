package api

import (
	"strings"
	"time"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/legible"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

// at is the time, or nothing for one that has not come.
func at(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// word is what should be a name, as others may have written it.
func word(text string) string { return strings.Join(strings.Fields(legible.Text(text)), " ") }

func (a *API) storeOf(who store.Actor, st store.Store) v1.Store {
	return v1.Store{
		ID: st.ID, Team: st.TeamID, Name: st.Name, Slug: st.Slug, Host: st.Host, URL: address(st, st.URL), AdminURL: address(st, st.AdminURL),
		Namespace: st.Namespace, Cluster: a.Clusters.Of(st).Cluster().Name, Engine: st.Engine, Template: st.Template,
		Country: st.Country, Currency: st.Currency, OwnerEmail: st.OwnerEmail, Plan: st.Plan, Origin: originOf(st.Origin), Status: st.Status, Step: st.Job.Step, Message: legible.Text(phrase.Note(st.Job.Note)),
		Generation: st.Generation, Chart: st.ChartVersion, Revision: st.Revision, Failure: failureOf(st), Aborted: abortedOf(st), Health: healthOf(st),
		CreatedAt: st.CreatedAt, ReadyAt: at(st.ReadyAt), UpdatedAt: st.UpdatedAt, Can: actionsOn(who, st),
	}
}

// originOf is nil for a store that began empty.
func originOf(o store.Origin) *v1.Origin {
	if o.Point == "" {
		return nil
	}
	return &v1.Origin{Point: o.Point, Store: o.StoreID, Name: word(o.Name), MadeAt: o.MadeAt, LoadedAt: at(o.Loaded)}
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
		{"backup", store.BackUpStores, st.CanBackUp()}, {"drill", store.BackUpStores, st.CanDrill() && !st.ReadyAt.IsZero()},
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

func failureOf(st store.Store) *v1.Failure {
	if st.Status != store.Failed {
		return nil
	}
	return explain(st.Job.Failure)
}

func abortedOf(st store.Store) *v1.Failure {
	if !st.Aborted() {
		return nil
	}
	shown := explain(st.Job.Failure)
	shown.Next = "Fix the cause and repeat the request, or repeat it without a backup."
	return shown
}

// explain is the failure in plain words, nil for none.
func explain(f store.Failure) *v1.Failure {
	if f.Code == "" {
		return nil
	}
	said := phrase.Failure(f)
	shown := &v1.Failure{Code: string(f.Code), Title: legible.Text(said.Title), Cause: legible.Text(said.Cause), Next: legible.Text(said.Next), Step: f.Step, At: at(f.At)}
	for _, e := range f.Evidence {
		shown.Evidence = append(shown.Evidence, v1.Evidence{Object: word(e.Object), Reason: word(e.Reason), Message: legible.Text(e.Message), Count: e.Count, Last: at(e.Last)})
	}
	for _, line := range f.HelmLog {
		shown.HelmLog = append(shown.HelmLog, legible.Text(line))
	}
	for _, line := range f.LastWords.Lines {
		shown.Words = append(shown.Words, legible.Text(line))
	}
	return shown
}

func healthOf(st store.Store) *v1.Health {
	c := st.Health.Last
	if c.At.IsZero() {
		return nil
	}
	return &v1.Health{
		OK: c.OK, Simulated: c.Simulated, Closed: c.Closed, Order: word(c.Order), Failed: word(c.Failed), Message: legible.Text(phrase.Why(c)), Cause: legible.Text(phrase.Failure(c.Cause).Cause),
		Address: string(c.Address.Outcome), CheckedAt: at(c.At), NextCheck: at(st.CheckDue),
	}
}

func podOf(p kube.Pod) v1.Pod {
	pod := v1.Pod{
		Name: p.Name, Component: p.Component, Phase: word(p.Phase), Ready: p.Ready, Want: p.Want, Restarts: p.Restarts, Node: p.Node,
		Message: legible.Text(p.Message), CreatedAt: p.CreatedAt, Containers: []v1.Container{},
	}
	for _, c := range p.Containers {
		shown := v1.Container{
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

func summaryOf(pods []kube.Pod) v1.PodSummary {
	s := v1.PodSummary{}
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

func eventOf(e store.Event) v1.Event {
	line := phrase.Event(e)
	return v1.Event{
		Number: e.Number, Kind: e.Kind, Store: e.StoreID, Team: e.TeamID, Object: word(line.Object), Step: e.Step, Status: e.Data.Status,
		Message: legible.Text(line.Message), Actor: word(e.Actor), Token: word(e.Token), At: e.At,
	}
}
