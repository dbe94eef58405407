package v1

import "shopwright.dev/shopwright/store"

// Owner is the owner of a store.
type Owner struct {
	Email string `json:"owner_email" maxLength:"300" example:"mara@example.com"`
}

// StoreList is a page of stores.
type StoreList struct {
	Stores []Store              `json:"stores" nullable:"false"`
	Next   string               `json:"next,omitempty" doc:"Cursor of the next page; absent on the last page."`
	Total  int                  `json:"total" doc:"Number of matches on all pages."`
	Counts map[store.Status]int `json:"counts" doc:"Number of matches of search and engine, by status."`
}

// NewStore is a request for a store.
type NewStore struct {
	Name       string `json:"name" maxLength:"1000" example:"Tea & Tonic"`
	Slug       string `json:"slug,omitempty" maxLength:"100" example:"tea-and-tonic" doc:"First part of the host name; generated from the name by default."`
	From       string `json:"from,omitempty" maxLength:"100" example:"019a2b3c-4d5e-7f60-8a9b-0c1d2e3f4a5b" doc:"ID of the restore point that the store is opened with. It decides the engine, template, country and currency; leave them out or send the same."`
	Engine     string `json:"engine,omitempty" maxLength:"40" doc:"Required without a restore point."`
	Template   string `json:"template,omitempty" maxLength:"100" example:"blank" doc:"Defaults to the engine’s default template."`
	Country    string `json:"country,omitempty" maxLength:"10" example:"DE" doc:"ISO 3166."`
	Currency   string `json:"currency,omitempty" maxLength:"10" example:"EUR" doc:"ISO 4217; defaults to the country’s currency."`
	OwnerEmail string `json:"owner_email,omitempty" maxLength:"300" example:"mara@example.com" doc:"Email address of the owner; defaults to your verified address."`
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
