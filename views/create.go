package views

import (
	"fmt"
	"strconv"
)

// Element ids of the create form, which is on a page only once.
const (
	nameFieldID    = "create-name"
	nameHintID     = "create-name-hint"
	slugFieldID    = "create-slug"
	addressHintID  = "address-hint"
	createFormID   = "create-form"
	createFullID   = "create-full"
	createDialogID = "create-dialog"
)

// FormKey is the name of a hidden field with a random key. The key tells whether the same form was sent twice.
const FormKey = "form-key"

// TemplateField is the name of the field for the template of a shop with that engine. The form has such a
// field for each engine, so that it works without a script.
func TemplateField(engine string) string { return "template." + engine }

// RestoreFrom is the restore point that a new store is opened with.
type RestoreFrom struct {
	Point   string // id
	Facts   []Fact
	Deleted bool // whether the store that it was made of is deleted
}

// CreateTitle is the title of the page with that form.
func CreateTitle(f CreateForm) string {
	if f.Restore != nil {
		return "Restore as new store"
	}
	return "Create store"
}

func nameHint(f CreateForm) string {
	if f.Restore != nil {
		return "Shown in Shopwright. Customers may see the name that the shop has in the restore point"
	}
	return "Shown to customers, for example Nordwind Outdoor"
}

func invalid(problem string) string { return strconv.FormatBool(problem != "") }

func fieldClass(problem string) string {
	if problem != "" {
		return "input h-10 is-bad"
	}
	return "input h-10"
}

func quota(q Quota) string {
	if q.Allowed == 0 {
		return count(q.Used, "store", "stores")
	}
	return fmt.Sprintf("%d of %s", q.Used, count(q.Allowed, "store", "stores"))
}

// shownSlug is the slug in the preview: what was typed, or else what the server proposes.
func shownSlug(f CreateForm) string {
	switch {
	case f.Address.Slug != "":
		return f.Address.Slug
	case f.Slug != "":
		return f.Slug
	default:
		return "your-shop"
	}
}

func addressTail(f CreateForm) string { return "." + f.BaseDomain + f.PortSuffix }

// addressProblem returns the error, with a free address if there is one.
func addressProblem(a Address) string {
	if a.Free == "" {
		return a.Error
	}
	return a.Error + " Try " + a.Free + "."
}
