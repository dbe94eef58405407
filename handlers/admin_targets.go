package handlers

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/views"
)

const targetsPath = "/admin/targets"

func (a *App) listTargets(c echo.Context) error { return a.targetsPage(c, http.StatusOK, "", nil) }

// targetsPage lists the targets, one of them with what came of a request about it.
func (a *App) targetsPage(c echo.Context, status int, asked string, result *views.TargetResult) error {
	targets, err := a.DB.Targets(c.Request().Context(), signin.VisitorOf(c).Actor)
	if err != nil {
		return err
	}
	shell, err := a.adminShell(c, "Backup targets", nil)
	if err != nil {
		return err
	}
	page := views.AdminTargetsPage{Shell: shell}
	if page.Recovery, err = a.recoveryCard(c); err != nil {
		return err
	}
	for _, t := range targets {
		row := views.AdminTargetRow{ID: t.ID, Name: word(t.Name), Address: t.Address(), KeyID: t.KeyID, InUse: t.InUse}
		if t.ID == asked {
			row.Result = result
		}
		page.Targets = append(page.Targets, row)
	}
	return reply.Render(c, status, views.AdminTargets(page))
}

// testTarget tries the target, and says at it what came of that.
func (a *App) testTarget(c echo.Context) error {
	test, err := a.shops.TestTarget(c.Request().Context(), signin.VisitorOf(c).Actor, c.Param("target"))
	if err != nil {
		return err
	}
	if test.Err != nil {
		a.Log.Warn("the test of a backup target failed", "target", test.Target, "error", test.Err)
	}
	return a.targetsPage(c, http.StatusOK, c.Param("target"), &views.TargetResult{OK: test.OK, Text: test.Text})
}

// deleteTarget deletes the target, or says at it why it stays.
func (a *App) deleteTarget(c echo.Context) error {
	err := a.DB.DeleteTarget(c.Request().Context(), signin.VisitorOf(c).Actor, c.Param("target"))
	if refused, ok := errors.AsType[*store.Error](err); ok && refused.Code == store.Conflict {
		return a.targetsPage(c, http.StatusConflict, c.Param("target"), &views.TargetResult{Text: refused.Message})
	}
	if err != nil {
		return err
	}
	return reply.GoTo(c, targetsPath)
}

// targetForm is a target as somebody typed it.
type targetForm struct {
	Name      string `form:"name"`
	Endpoint  string `form:"endpoint"`
	Bucket    string `form:"bucket"`
	Prefix    string `form:"prefix"`
	Region    string `form:"region"`
	KeyID     string `form:"key_id"`
	Secret    string `form:"secret"`
	CA        string `form:"ca"`
	PathStyle bool   `form:"-"`
	InUse     bool   `form:"-"`
}

func targetFormOf(t store.Target) targetForm {
	return targetForm{
		Name: t.Name, Endpoint: t.Endpoint, Bucket: t.Bucket, Prefix: t.Prefix, Region: t.Region, KeyID: t.KeyID, CA: t.CA, PathStyle: t.PathStyle, InUse: t.InUse,
	}
}

func bindTarget(c echo.Context) (form targetForm, err error) {
	err = c.Bind(&form)
	form.PathStyle, form.InUse = c.FormValue("path_style") != "", c.FormValue("in_use") != ""
	return form, err
}

func (f targetForm) target(id string) store.Target {
	return store.Target{
		ID: id, Name: word(f.Name), Endpoint: f.Endpoint, Bucket: f.Bucket, Prefix: f.Prefix, Region: f.Region, KeyID: f.KeyID, Secret: f.Secret, CA: f.CA, PathStyle: f.PathStyle, InUse: f.InUse,
	}
}

// page is the form with what is wrong at its field.
func (f targetForm) page(id string, refused *store.Error) views.AdminTargetPage {
	at := func(field views.AdminField) views.AdminField {
		if refused != nil && refused.Field == field.Name {
			field.Error = plain(refused.Message)
		}
		return field
	}
	page := views.AdminTargetPage{
		Title: "Add a backup target", Action: targetsPath, Submit: "Add", PathStyle: f.PathStyle, InUse: f.InUse,
		Fields: []views.AdminField{
			at(views.AdminField{Name: "name", Label: "Name", Value: f.Name, Hint: "Shown on the stores’ pages"}),
			at(views.AdminField{Name: "endpoint", Label: "Endpoint", Value: f.Endpoint, Hint: "URL of the S3 service, such as https://s3.eu-central-1.amazonaws.com"}),
			at(views.AdminField{Name: "bucket", Label: "Bucket", Value: f.Bucket, Hint: "It must exist"}),
			at(views.AdminField{Name: "prefix", Label: "Prefix", Value: f.Prefix, Hint: "Folder in the bucket; empty for none"}),
			at(views.AdminField{Name: "region", Label: "Region", Value: f.Region, Hint: "Empty if the service has none"}),
			at(views.AdminField{Name: "key_id", Label: "Access key ID", Value: f.KeyID, Hint: "It must be allowed to list the bucket and to read, write and delete its objects"}),
		},
		Secret: at(views.AdminField{Name: "secret", Label: "Secret access key", Hint: "Kept encrypted"}),
		CA:     at(views.AdminField{Name: "ca", Label: "CA certificate", Value: f.CA, Hint: "In PEM format, if the service’s certificate isn’t from a public authority"}),
	}
	if id != "" {
		page.Title, page.Action, page.Submit = "Backup target "+word(f.Name), targetsPath+"/"+id, "Save"
		page.Secret.Hint = "Kept encrypted. Leave it empty to keep the present one"
	}
	return page
}

func (a *App) newTarget(c echo.Context) error {
	return a.targetPage(c, "", targetForm{InUse: true}, nil)
}

func (a *App) editTarget(c echo.Context) error {
	target, err := a.DB.Target(c.Request().Context(), signin.VisitorOf(c).Actor, c.Param("target"))
	if err != nil {
		return err
	}
	return a.targetPage(c, target.ID, targetFormOf(target), nil)
}

func (a *App) addTarget(c echo.Context) error {
	form, err := bindTarget(c)
	if err != nil {
		return err
	}
	_, err = a.DB.AddTarget(c.Request().Context(), signin.VisitorOf(c).Actor, form.target(""))
	return a.targetSaved(c, "", form, err)
}

func (a *App) saveTarget(c echo.Context) error {
	form, err := bindTarget(c)
	if err != nil {
		return err
	}
	_, err = a.DB.SaveTarget(c.Request().Context(), signin.VisitorOf(c).Actor, form.target(c.Param("target")))
	return a.targetSaved(c, c.Param("target"), form, err)
}

// targetSaved brings the form back as it was typed, with what is wrong at its field.
func (a *App) targetSaved(c echo.Context, id string, form targetForm, err error) error {
	if refused, ok := errors.AsType[*store.Error](err); ok && refused.Field != "" {
		return a.targetPage(c, id, form, refused)
	}
	if err != nil {
		return err
	}
	return reply.GoTo(c, targetsPath)
}

func (a *App) targetPage(c echo.Context, id string, form targetForm, refused *store.Error) error {
	shell, err := a.adminShell(c, "Backup targets", nil)
	if err != nil {
		return err
	}
	page := form.page(id, refused)
	page.Shell = shell
	status := http.StatusOK
	if refused != nil {
		status = http.StatusUnprocessableEntity
	}
	return reply.Render(c, status, views.AdminTargetForm(page))
}
