package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/handlers/paging"
	"shopwright.dev/shopwright/handlers/shop"
	"shopwright.dev/shopwright/store"
)

func (a *API) registerStores() {
	register(a, operation{
		id: "list-stores", method: http.MethodGet, path: "/stores", tag: tagStores, scope: store.ReadStores,
		summary: "List stores", description: "One page of the team’s stores, without deleted ones. For the next page, send the value of next as cursor.",
	}, a.listStores)
	register(a, operation{
		id: "create-store", method: http.MethodPost, path: "/stores", tag: tagStores, scope: store.WriteStores, status: http.StatusAccepted,
		summary: "Create a store", description: "Begins with a template, or with a restore point of another store. Creation runs in the background. Poll the store or follow the events until it is ready or failed. " +
			"For 24 hours, a request with the same Idempotency-Key and body returns the first response.",
	}, a.createStore)
	register(a, operation{
		id: "show-store", method: http.MethodGet, path: "/stores/{id}", tag: tagStores, scope: store.ReadStores,
		summary: "Show a store", description: "Includes the steps of the latest work and, while the cluster is reachable, its pods and quota usage.",
	}, a.showStore)
	register(a, operation{
		id: "delete-store", method: http.MethodDelete, path: "/stores/{id}", tag: tagStores, scope: store.RemoveStores, status: http.StatusAccepted,
		summary: "Delete a store", description: "The shop closes. Its namespace, its disks with all orders and products, and its passwords are deleted permanently. Its restore points stay. " +
			"A ready store is backed up first, if a backup target is in use; if that fails, the deletion is not started. Then the store returns 404.",
	}, a.deleteStore)
	register(a, operation{
		id: "change-owner", method: http.MethodPut, path: "/stores/{id}/owner", tag: tagStores, scope: store.WriteStores, status: http.StatusAccepted,
		summary: "Change the owner’s address", description: "If the shop uses the address, its release is applied again; addresses set in the shop itself stay. " +
			"If the order check fails, the change is rolled back. For other shops, only the contact address changes.",
	}, a.changeOwner)
	register(a, operation{
		id: "rebuild-store", method: http.MethodPost, path: "/stores/{id}/rebuild", tag: tagStores, scope: store.WriteStores, status: http.StatusAccepted,
		summary: "Rebuild a store", description: "Only for a store whose data is lost. It starts with the restore point named, or empty.",
	}, a.rebuildStore)
	for _, w := range []struct {
		name, summary, description string
		ask                        ask
	}{
		{"retry", "Retry a failed store", "Continues from the failed step.", a.DB.Retry},
		{"repair", "Repair a store", "Restores what the chart specifies. For ready or degraded stores, for example after manual scaling.", a.DB.Repair},
		{"cancel", "Cancel a change", "Cancels an upgrade, a rollback or a change of the owner’s address in progress; the store rolls back to the last verified revision. An upgrade or a deletion that waits for its backup is cancelled without changing the store.", a.DB.Cancel},
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

type rebuildInput struct {
	StoreInput
	Body *v1.Rebuild // nil for an empty one
}

func (a *API) rebuildStore(ctx context.Context, in *rebuildInput) (*storeOutput, error) {
	var body v1.Rebuild
	if in.Body != nil {
		body = *in.Body
	}
	return a.asking(func(ctx context.Context, who store.Actor, id string) (store.Store, error) {
		return a.DB.Rebuild(ctx, who, id, body.Point)
	})(ctx, &in.StoreInput)
}

type storeOutput struct {
	Body v1.Store
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

type deleteInput struct {
	StoreInput
	Backup bool `query:"backup" default:"true" doc:"Make a restore point first, if a backup target is in use."`
}

func (a *API) deleteStore(ctx context.Context, in *deleteInput) (*storeOutput, error) {
	st, err := a.DB.RequestDelete(ctx, actorOf(ctx), in.ID, store.DeleteRequest{Backup: in.Backup})
	if err != nil {
		return nil, err
	}
	return &storeOutput{Body: a.storeOf(actorOf(ctx), st)}, nil
}

type ownerInput struct {
	StoreInput
	Body v1.Owner
}

func (a *API) changeOwner(ctx context.Context, in *ownerInput) (*storeOutput, error) {
	st, err := a.DB.FindStoreTo(ctx, actorOf(ctx), store.UpgradeStores, in.ID)
	if err != nil {
		return nil, err
	}
	st, err = a.DB.ChangeOwner(ctx, actorOf(ctx), st.ID, store.OwnerRequest{Email: in.Body.Email, InShop: a.Clusters.Of(st).OwnerUse(st).InShop})
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

type listOutput struct {
	Body v1.StoreList
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
	page := v1.StoreList{Stores: []v1.Store{}, Total: list.Total, Counts: list.Counts}
	stores, more := paging.Cut(list.Stores, in.Limit)
	if more {
		page.Next = cursorAt(stores[in.Limit-1].ID)
	}
	for _, st := range stores {
		page.Stores = append(page.Stores, a.storeOf(actorOf(ctx), st))
	}
	return &listOutput{Body: page}, nil
}

// cursorAt is opaque to programs, so that what is behind it may change.
func cursorAt(id string) string { return base64.RawURLEncoding.EncodeToString([]byte(id)) }

func readCursor(cursor string) (entryID string, err error) {
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

var errNoCursor = &v1.Problem{
	Status: http.StatusUnprocessableEntity, Code: string(store.Invalid), Detail: "Invalid cursor. Send the value of next from the previous page.",
	Errors: []v1.Fault{{Detail: "Invalid cursor.", Parameter: "cursor"}},
}

type createInput struct {
	Key  string `header:"Idempotency-Key" maxLength:"200" pattern:"^[!-~]*$" doc:"Client-chosen key, such as a UUID, that makes the request safe to repeat."`
	Body v1.NewStore
}

// createStore answers a request that was answered before as it was then, also if it could
// not be met any more.
func (a *API) createStore(ctx context.Context, in *createInput) (*createdStore, error) {
	who := callerOf(ctx)
	answer, err := a.Shops.Create(ctx, who.Actor, shop.Order{
		NewStore: store.NewStore{
			TeamID: who.Token.TeamID, Name: in.Body.Name, Slug: in.Body.Slug, Engine: in.Body.Engine, Template: in.Body.Template,
			Country: in.Body.Country, Currency: in.Body.Currency, OwnerEmail: in.Body.OwnerEmail, From: in.Body.From,
		},
		Once: store.Once{
			Key: in.Key, Digest: digest("create-store", who.Token.TeamID, in.Body),
			Answer: func(st store.Store) (string, error) {
				text, err := json.Marshal(a.storeOf(who.Actor, st))
				return string(text), err
			},
		},
	})
	if err != nil {
		return nil, err
	}
	var st v1.Store
	if err := json.Unmarshal([]byte(answer), &st); err != nil {
		return nil, fmt.Errorf("read a kept answer: %w", err)
	}
	return created(st), nil
}

type createdStore struct {
	Location string `header:"Location" doc:"URL of the store."`
	Body     v1.Store
}

func created(st v1.Store) *createdStore {
	return &createdStore{Location: v1.Prefix + "/stores/" + st.ID, Body: st}
}

// digest tells requests apart that come with the same key.
func digest(operation, about string, body any) string {
	text, _ := json.Marshal([]any{operation, about, body}) // texts only
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

type detailOutput struct {
	Body v1.StoreDetail
}

func (a *API) showStore(ctx context.Context, in *StoreInput) (*detailOutput, error) {
	st, err := a.DB.FindStore(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	events, err := a.DB.StoreEvents(ctx, actorOf(ctx), st.ID)
	if err != nil {
		return nil, err
	}
	detail := v1.StoreDetail{Store: a.storeOf(actorOf(ctx), st), Work: a.Work(st.Job, events), Notes: a.Clusters.Of(st).Off(st), Undone: explain(st.Job.Change.Undone)}
	if snapshot, known := a.Clusters.Of(st).Snapshot(st); known {
		summary := summaryOf(snapshot.Pods)
		detail.Pods = &summary
		detail.Resources = a.resources(ctx, st)
	}
	return &detailOutput{Body: detail}, nil
}

// resources are left out when the cluster does not tell them in time.
func (a *API) resources(ctx context.Context, st store.Store) (all []v1.Resource) {
	ctx, cancel := context.WithTimeout(ctx, a.ClusterTimeout)
	defer cancel()
	uses, err := a.Clusters.Of(st).Usage(ctx, st)
	if err != nil && ctx.Err() == nil {
		a.Log.Warn("read a store’s quota usage", "store", st.ID, "error", err)
	}
	for _, u := range uses {
		all = append(all, v1.Resource{Name: u.Name, Used: u.Used, Hard: u.Hard})
	}
	return all
}
