package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/store"
)

func (a *API) registerStores() {
	register(a, operation{
		id: "list-stores", method: http.MethodGet, path: "/stores", tag: tagStores, scope: store.ReadStores,
		summary: "List stores", description: "One page of the team’s stores, without deleted ones. For the next page, send the value of next as cursor.",
	}, a.listStores)
	register(a, operation{
		id: "create-store", method: http.MethodPost, path: "/stores", tag: tagStores, scope: store.WriteStores, status: http.StatusAccepted,
		summary: "Create a store", description: "Creation runs in the background. Poll the store or follow the events until it is ready or failed. " +
			"For 24 hours, a request with the same Idempotency-Key and body returns the first response.",
	}, a.createStore)
	register(a, operation{
		id: "show-store", method: http.MethodGet, path: "/stores/{id}", tag: tagStores, scope: store.ReadStores,
		summary: "Show a store", description: "Includes the steps of the latest work and, while the cluster is reachable, its pods and quota usage.",
	}, a.showStore)
	register(a, operation{
		id: "delete-store", method: http.MethodDelete, path: "/stores/{id}", tag: tagStores, scope: store.RemoveStores, status: http.StatusAccepted,
		summary: "Delete a store", description: "The shop closes immediately. Its namespace, its disks with all orders and products, and its passwords are deleted permanently. Then the store returns 404.",
	}, a.asking(a.DB.RequestDelete))
	register(a, operation{
		id: "change-owner", method: http.MethodPut, path: "/stores/{id}/owner", tag: tagStores, scope: store.WriteStores, status: http.StatusAccepted,
		summary: "Change the owner’s address", description: "If the shop uses the address, its release is applied again; addresses set in the shop itself stay. " +
			"If the order check fails, the change is rolled back. For other shops, only the contact address changes.",
	}, a.changeOwner)
	for _, w := range []struct {
		name, summary, description string
		ask                        ask
	}{
		{"retry", "Retry a failed store", "Continues from the failed step.", a.DB.Retry},
		{"repair", "Repair a store", "Restores what the chart specifies. For ready or degraded stores, for example after manual scaling.", a.DB.Repair},
		{"rebuild", "Rebuild a store", "Starts empty. Only for a store whose data is lost.", a.DB.Rebuild},
		{"cancel", "Cancel a change", "Cancels an upgrade, a rollback or a change of the owner’s address in progress. The store rolls back to the last verified revision.", a.DB.Cancel},
		{"check", "Run an order check", "Runs as soon as there is capacity. The result appears as the store’s health.", a.DB.CheckNow},
	} {
		register(a, operation{
			id: w.name + "-store", method: http.MethodPost, path: "/stores/{id}/" + w.name, tag: tagStores, scope: store.WriteStores, status: http.StatusAccepted,
			summary: w.summary, description: w.description,
		}, a.asking(w.ask))
	}
}

// StoreInput names a store in the address.
type StoreInput struct {
	ID string `path:"id" doc:"The store’s ID." example:"019a2b3c-4d5e-7f60-8a9b-0c1d2e3f4a5b"`
}

type storeOutput struct {
	Body Store
}

// ask asks for work on a store.
type ask func(ctx context.Context, who store.Actor, id string) (store.Store, error)

func (a *API) asking(ask ask) func(context.Context, *StoreInput) (*storeOutput, error) {
	return func(ctx context.Context, in *StoreInput) (*storeOutput, error) {
		st, err := ask(ctx, actorOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return &storeOutput{Body: a.storeOf(actorOf(ctx), st)}, nil
	}
}

type ownerInput struct {
	StoreInput
	Body Owner
}

// Owner is the owner of a store.
type Owner struct {
	Email string `json:"owner_email" maxLength:"300" example:"mara@example.com"`
}

func (a *API) changeOwner(ctx context.Context, in *ownerInput) (*storeOutput, error) {
	st, err := a.DB.FindStoreTo(ctx, actorOf(ctx), store.UpgradeStores, in.ID)
	if err != nil {
		return nil, err
	}
	st, err = a.DB.ChangeOwner(ctx, actorOf(ctx), st.ID, store.OwnerRequest{Email: in.Body.Email, InShop: a.Provisioner.OwnerUse(st).InShop})
	if err != nil {
		return nil, err
	}
	return &storeOutput{Body: a.storeOf(actorOf(ctx), st)}, nil
}

type listInput struct {
	Search string       `query:"q" maxLength:"100" doc:"Text in the name or address; case-insensitive."`
	Status store.Status `query:"status" enum:"provisioning,ready,degraded,failed,upgrading,sleeping,deleting"`
	Engine string       `query:"engine" maxLength:"40"`
	Sort   store.Sort   `query:"sort" enum:"newest,oldest,name" default:"newest"`
	Limit  int          `query:"limit" minimum:"1" maximum:"100" default:"25"`
	Cursor string       `query:"cursor" maxLength:"100" doc:"Value of next from the previous page."`
}

// StoreList is a page of stores.
type StoreList struct {
	Stores []Store              `json:"stores" nullable:"false"`
	Next   string               `json:"next,omitempty" doc:"Cursor of the next page; absent on the last page."`
	Total  int                  `json:"total" doc:"Number of matches on all pages."`
	Counts map[store.Status]int `json:"counts" doc:"Number of matches of search and engine, by status."`
}

type listOutput struct {
	Body StoreList
}

func (a *API) listStores(ctx context.Context, in *listInput) (*listOutput, error) {
	after, err := readCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	list, err := a.DB.ListStores(ctx, actorOf(ctx), store.Query{
		Search: in.Search, Status: in.Status, Engine: in.Engine, Sort: in.Sort, After: after, Limit: in.Limit + 1,
	})
	if store.ErrorCode(err) == store.Invalid {
		return nil, errNoCursor
	}
	if err != nil {
		return nil, err
	}
	page := StoreList{Stores: []Store{}, Total: list.Total, Counts: list.Counts}
	if len(list.Stores) > in.Limit {
		list.Stores = list.Stores[:in.Limit]
		page.Next = cursorAt(list.Stores[in.Limit-1])
	}
	for _, st := range list.Stores {
		page.Stores = append(page.Stores, a.storeOf(actorOf(ctx), st))
	}
	return &listOutput{Body: page}, nil
}

// cursorAt is opaque to programs, so that what is behind it may change.
func cursorAt(st store.Store) string { return base64.RawURLEncoding.EncodeToString([]byte(st.ID)) }

func readCursor(cursor string) (storeID string, err error) {
	if cursor == "" {
		return "", nil
	}
	id, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		_, err = uuid.ParseBytes(id)
	}
	if err != nil {
		return "", errNoCursor
	}
	return string(id), nil
}

var errNoCursor = &Problem{
	Status: http.StatusUnprocessableEntity, Code: string(store.Invalid), Detail: "Invalid cursor. Send the value of next from the previous page.",
	Errors: []Fault{{Detail: "Invalid cursor.", Parameter: "cursor"}},
}

// NewStore is a request for a store.
type NewStore struct {
	Name       string `json:"name" maxLength:"1000" example:"Tea & Tonic"`
	Slug       string `json:"slug,omitempty" maxLength:"100" example:"tea-and-tonic" doc:"First part of the host name; generated from the name by default."`
	Engine     string `json:"engine" maxLength:"40"`
	Template   string `json:"template,omitempty" maxLength:"100" example:"blank" doc:"Defaults to the engine’s default template."`
	Country    string `json:"country,omitempty" maxLength:"10" example:"DE" doc:"ISO 3166."`
	Currency   string `json:"currency,omitempty" maxLength:"10" example:"EUR" doc:"ISO 4217; defaults to the country’s currency."`
	OwnerEmail string `json:"owner_email,omitempty" maxLength:"300" example:"mara@example.com" doc:"Email address of the owner; defaults to your verified address."`
}

type createInput struct {
	Key  string `header:"Idempotency-Key" maxLength:"200" pattern:"^[!-~]*$" doc:"Client-chosen key, such as a UUID, that makes the request safe to repeat."`
	Body NewStore
}

func (a *API) createStore(ctx context.Context, in *createInput) (*createdStore, error) {
	if in.Key != "" {
		return a.createStoreOnce(ctx, in)
	}
	who := callerOf(ctx)
	wanted, err := a.wanted(ctx, in)
	if err != nil {
		return nil, err
	}
	st, err := a.DB.CreateStore(ctx, who.Actor, wanted)
	if err != nil {
		return nil, err
	}
	return created(a.storeOf(who.Actor, st)), nil
}

// wanted is what is asked for, if it can be had.
func (a *API) wanted(ctx context.Context, in *createInput) (store.NewStore, error) {
	return a.Complete(ctx, store.NewStore{
		TeamID: callerOf(ctx).Token.TeamID, Name: in.Body.Name, Slug: in.Body.Slug, Engine: in.Body.Engine, Template: in.Body.Template,
		Country: in.Body.Country, Currency: in.Body.Currency, OwnerEmail: in.Body.OwnerEmail,
	})
}

// createStoreOnce answers a request that was answered before as it was then, also if it could
// not be met any more.
func (a *API) createStoreOnce(ctx context.Context, in *createInput) (*createdStore, error) {
	who := callerOf(ctx)
	once := store.Once{
		Key: in.Key, Digest: digest(who.Token.TeamID, in.Body),
		Answer: func(st store.Store) (string, error) {
			text, err := json.Marshal(a.storeOf(who.Actor, st))
			return string(text), err
		},
	}
	answer, err := a.DB.Recall(ctx, who.Actor, once)
	if err != nil {
		return nil, err
	}
	if answer == "" {
		wanted, err := a.wanted(ctx, in)
		if err != nil {
			return nil, err
		}
		if answer, err = a.DB.CreateStoreOnce(ctx, who.Actor, wanted, once); err != nil {
			return nil, err
		}
	}
	var st Store
	if err := json.Unmarshal([]byte(answer), &st); err != nil {
		return nil, fmt.Errorf("read a kept answer: %w", err)
	}
	return created(st), nil
}

type createdStore struct {
	Location string `header:"Location" doc:"URL of the store."`
	Body     Store
}

func created(st Store) *createdStore {
	return &createdStore{Location: Prefix + "/stores/" + st.ID, Body: st}
}

// digest tells requests apart that come with the same key.
func digest(team string, body NewStore) string {
	text, _ := json.Marshal([]any{"create-store", team, body}) // texts only
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// StoreDetail is a store with what is known of it beside its record.
type StoreDetail struct {
	Store
	Work      Work        `json:"work"`
	Pods      *PodSummary `json:"pods,omitempty" doc:"Absent while the cluster is unreachable."`
	Resources []Resource  `json:"resources,omitempty" nullable:"false" doc:"Quota usage. Absent while the cluster is unreachable."`
	Notes     []string    `json:"notes,omitempty" nullable:"false" doc:"Features this store lacks because of the installation’s settings."`
	Undone    *Failure    `json:"undone,omitempty" doc:"Why the previous change failed, which this one rolls back."`
}

type detailOutput struct {
	Body StoreDetail
}

// patienceWithQuota is how long the answer waits for the cluster.
const patienceWithQuota = 2 * time.Second

func (a *API) showStore(ctx context.Context, in *StoreInput) (*detailOutput, error) {
	st, err := a.DB.FindStore(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	events, err := a.DB.StoreEvents(ctx, st.ID)
	if err != nil {
		return nil, err
	}
	detail := StoreDetail{Store: a.storeOf(actorOf(ctx), st), Work: a.Work(st.Job, events), Notes: a.Provisioner.Off(st)}
	if undone := st.Job.Change.Undone; undone.Code != "" {
		detail.Undone = failureOf(store.Store{Status: store.Failed, Job: store.Job{Result: store.Result{Failure: undone}}})
	}
	if snapshot, known := a.Provisioner.Snapshot(st); known {
		summary := summaryOf(snapshot.Pods)
		detail.Pods = &summary
		detail.Resources = a.resources(ctx, st)
	}
	return &detailOutput{Body: detail}, nil
}

// resources are left out when the cluster does not tell them in time.
func (a *API) resources(ctx context.Context, st store.Store) (all []Resource) {
	ctx, cancel := context.WithTimeout(ctx, patienceWithQuota)
	defer cancel()
	uses, err := a.Provisioner.Usage(ctx, st)
	if err != nil && ctx.Err() == nil {
		a.Log.Warn("read a store’s quota usage", "store", st.ID, "error", err)
	}
	for _, u := range uses {
		all = append(all, Resource{Name: u.Name, Used: u.Used, Hard: u.Hard})
	}
	return all
}
