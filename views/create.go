package views

import (
	"fmt"
	"strconv"
)

// The parts of the create form, which stands on a page once.
const (
	nameFieldID    = "create-name"
	nameHintID     = "create-name-hint"
	slugFieldID    = "create-slug"
	addressHintID  = "address-hint"
	createFormID   = "create-form"
	createFullID   = "create-full"
	createDialogID = "create-dialog"
)

// FormKey is the name of the hidden field with what a form was drawn with, which tells a form that
// is sent twice from another one.
const FormKey = "form-key"

// TemplateField is the name of the field that says what a shop of the engine begins with.
// Each engine has one: all are in the form, so that none needs a script.
func TemplateField(engine string) string { return "template." + engine }

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

// shownSlug is what the preview names: what was typed, or else what the server proposes.
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

// addressProblem offers the way out together with what is wrong.
func addressProblem(a Address) string {
	if a.Free == "" {
		return a.Error
	}
	return a.Error + " Try " + a.Free + "."
}
