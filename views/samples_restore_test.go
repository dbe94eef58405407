package views

import (
	"time"

	"github.com/a-h/templ"
)

func samplePoint() *RestoreFrom {
	return &RestoreFrom{Point: "019a2b3c", Facts: []Fact{
		{Name: "Store", Value: "Atelier Köhler", URL: "/stores/7"}, {Name: "Made", At: sampleTime.Add(-26 * time.Hour)}, {Name: "Size", Value: "254 MB"}, {Name: "Contents", Value: "1,204 orders, 310 products, 880 customers"},
		{Name: "Note", Value: "before the sale"}, {Name: "Engine", Value: "WooCommerce"}, {Name: "Template", Value: "Demo catalogue"}, {Name: "Country", Value: "Germany, EUR"},
	}}
}

func restorePage(change func(*CreateForm)) templ.Component {
	f := sampleForm()
	f.Engines, f.Countries, f.Currencies, f.Restore = nil, nil, nil, samplePoint()
	f.Name, f.Address = "Atelier Köhler", Address{Slug: "atelier-koehler-2", Checked: true}
	change(&f)
	return Create(CreatePage{Shell: sampleShell(CreateTitle(f), PlaceStores), Form: f})
}

// refusedRestore is of a deleted store, with all that can be wrong.
func refusedRestore(f *CreateForm) {
	wrong := wrongForm()
	f.Name, f.NameError, f.Slug, f.Address, f.OwnerEmail, f.OwnerEmailError = wrong.Name, wrong.NameError, wrong.Slug, wrong.Address, wrong.OwnerEmail, wrong.OwnerEmailError
	f.Problem = "This restore point was simulated and has no data. Choose another one."
	f.Restore.Deleted, f.Restore.Facts[0].Value, f.Restore.Facts[2].Value, f.Restore.Facts[3].Value = true, longName, "Simulated: nothing was written", hostile
	f.Restore.Facts[0].URL = "/backups/7"
}

func sampleDeleted() []DeletedStore {
	return []DeletedStore{
		{ID: "1", Name: "Winter Market", Host: "winter-market.localhost", Engine: "WooCommerce", Team: "Nordlicht", At: sampleTime.Add(-3 * time.Hour)},
		{ID: "2", Name: longName, Host: "extraordinarily-long-named-emporium-of.localhost", Engine: "Medusa", Team: longName, At: sampleTime.Add(-80 * time.Hour)},
		{ID: "3", Name: hostile, Host: "shop.localhost", Engine: "WooCommerce", Team: hostile, At: sampleTime.Add(-200 * 24 * time.Hour)},
	}
}

func deletedPage(stores []DeletedStore) templ.Component {
	return DeletedStores(DeletedStoresPage{Shell: sampleShell("Restore points of deleted stores", PlaceStores), Stores: stores})
}

func deletedPointsPage(st DeletedStore, rows []PointRow) templ.Component {
	return DeletedStorePoints(DeletedStorePage{Shell: sampleShell("Restore points of "+st.Name, PlaceStores), Store: st, Rows: rows})
}

// restoringPage is of a store while the data get into it, and restoredPage of one that was opened so.
func restoringPage() StorePage {
	p := overviewPage("Nordwind Outdoor", Provisioning)
	steps := p.Overview.Timeline.Steps
	data := TimelineStep{Name: "Data", Message: "Restoring the database", State: TickRunning, Began: sampleTime, Start: 40, Width: 20}
	workloads := steps[5]
	workloads.State, workloads.Message, workloads.Began = TickToDo, "", time.Time{}
	p.Overview.Timeline.Steps = append(append(append([]TimelineStep{}, steps[:5]...), data, workloads), steps[6:]...)
	return withOrigin(p)
}

func withOrigin(p StorePage) StorePage {
	p.Overview.Facts = append(p.Overview.Facts, Fact{Name: "Restored from", Value: "Atelier Köhler", URL: "/stores/7"}, Fact{Name: "Restore point", At: sampleTime.Add(-26 * time.Hour)})
	return p
}

func restoreStates() map[string]templ.Component {
	rows := sampleBackups().List.Rows
	return map[string]templ.Component{
		"32-restore":             restorePage(func(*CreateForm) {}),
		"32a-restore-wrong":      restorePage(refusedRestore),
		"32b-restoring":          Store(restoringPage()),
		"32c-restored":           Store(withOrigin(overviewPage("Atelier Köhler", Ready))),
		"33-deleted-stores":      deletedPage(sampleDeleted()),
		"33a-deleted-none":       deletedPage(nil),
		"33b-deleted-points":     deletedPointsPage(sampleDeleted()[0], rows),
		"33c-deleted-no-points":  deletedPointsPage(sampleDeleted()[1], nil),
		"33d-stores-and-deleted": Stores(StoresPage{Shell: sampleShell("Stores", PlaceStores), List: StoreList{Empty: true, Counts: sampleCounts("")}, Create: sampleForm(), Deleted: true}),
	}
}
