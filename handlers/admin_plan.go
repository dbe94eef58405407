package handlers

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
	"shopwright.dev/shopwright/views"
)

const plansPath = "/admin/plans"

func (a *App) listPlans(c echo.Context) error {
	plans, err := a.DB.Plans(c.Request().Context(), signin.VisitorOf(c).Actor)
	if err != nil {
		return err
	}
	shell, err := a.adminShell(c, "Plans", nil)
	if err != nil {
		return err
	}
	page := views.AdminPlansPage{Shell: shell}
	for _, p := range plans {
		misfits, err := a.Provisioner.Misfits(p)
		if err != nil {
			return err
		}
		page.Plans = append(page.Plans, views.AdminPlanRow{
			Name: p.Name, Label: word(p.Label), Stores: storesOf(p), CPU: decimal(p.CPU, 1000), Memory: decimal(p.Memory, 1024) + " GiB",
			Disk: decimal(p.Disk, 1024) + " GiB", Pods: p.Pods, Backups: phrase.BackupEvery(p.BackupEvery), Drills: drillsOf(p), Default: p.Name == a.DB.DefaultPlan(), Misfits: misfits,
		})
	}
	return reply.Render(c, http.StatusOK, views.AdminPlans(page))
}

func drillsOf(p store.Plan) string {
	if p.DrillEvery == 0 {
		return "No drills"
	}
	return "Drills " + strings.ToLower(phrase.DrillEvery(p.DrillEvery))
}

func storesOf(p store.Plan) string {
	if p.Stores == 0 {
		return "No limit"
	}
	return strconv.Itoa(p.Stores)
}

// planForm is a plan as it was typed.
type planForm struct {
	Name   string `form:"name"`
	Label  string `form:"label"`
	Stores string `form:"stores"`
	CPU    string `form:"cpu"`
	Memory string `form:"memory"`
	Disk   string `form:"disk"`
	Pods   string `form:"pods"`

	BackupEvery string `form:"backup_every"`
	KeepHourly  string `form:"keep_hourly"`
	KeepDaily   string `form:"keep_daily"`
	KeepWeekly  string `form:"keep_weekly"`
	KeepMonthly string `form:"keep_monthly"`
	DrillEvery  string `form:"drill_every"`
}

func formOf(p store.Plan) planForm {
	return planForm{
		Name: p.Name, Label: p.Label, Stores: strconv.Itoa(p.Stores), CPU: decimal(p.CPU, 1000),
		Memory: decimal(p.Memory, 1024), Disk: decimal(p.Disk, 1024), Pods: strconv.Itoa(p.Pods),
		BackupEvery: strconv.Itoa(p.BackupEvery), KeepHourly: strconv.Itoa(p.Keep.Hourly), KeepDaily: strconv.Itoa(p.Keep.Daily),
		KeepWeekly: strconv.Itoa(p.Keep.Weekly), KeepMonthly: strconv.Itoa(p.Keep.Monthly), DrillEvery: strconv.Itoa(p.DrillEvery),
	}
}

// plan returns the plan in the form. A figure that is not a number becomes -1, which no plan may have:
// the database then refuses it and names the field.
func (f planForm) plan() store.Plan {
	return store.Plan{
		Name: strings.TrimSpace(f.Name), Label: word(f.Label), Stores: amount(f.Stores, 1), CPU: amount(f.CPU, 1000),
		Memory: amount(f.Memory, 1024), Disk: amount(f.Disk, 1024), Pods: amount(f.Pods, 1), BackupEvery: amount(f.BackupEvery, 1),
		Keep:       store.PointRetention{Hourly: amount(f.KeepHourly, 1), Daily: amount(f.KeepDaily, 1), Weekly: amount(f.KeepWeekly, 1), Monthly: amount(f.KeepMonthly, 1)},
		DrillEvery: amount(f.DrillEvery, 1),
	}
}

// decimal formats parts/whole as a decimal.
func decimal(parts, whole int) string {
	return strconv.FormatFloat(float64(parts)/float64(whole), 'f', -1, 64)
}

// amount parses a decimal, with a point or a comma, and returns it in parts of the whole, or -1 if it is
// invalid.
func amount(text string, whole int) int {
	value, err := strconv.ParseFloat(strings.Replace(strings.TrimSpace(text), ",", ".", 1), 64)
	parts := math.Round(value * float64(whole))
	if err != nil || math.IsNaN(parts) || parts < 0 || parts > math.MaxInt32 || whole == 1 && parts != value {
		return -1
	}
	return int(parts)
}

func (f planForm) fields(fixed bool, refused *store.Error) []views.AdminField {
	fields := []views.AdminField{
		{Name: "name", Label: "Name", Value: f.Name, Hint: "Used in settings and the database, for example large. It can’t be changed later.", Fixed: fixed},
		{Name: "label", Label: "Label", Value: f.Label, Hint: "Shown on the pages"},
		{Name: "stores", Label: "Stores per team", Value: f.Stores, Hint: "0 means no limit", Numeric: true},
		{Name: "cpu", Label: "CPU per store", Value: f.CPU, Hint: "40 % used by the store itself", Numeric: true},
		{Name: "memory", Label: "Memory per store, in GiB", Value: f.Memory, Hint: "50 % used by the store itself", Numeric: true},
		{Name: "disk", Label: "Disk per store, in GiB", Value: f.Disk, Hint: "Total of all disks", Numeric: true},
		{Name: "pods", Label: "Pods per store", Value: f.Pods, Hint: "Includes pods for setup, checks and upgrades", Numeric: true},
		{Name: "backup_every", Label: "Hours between scheduled backups", Value: f.BackupEvery, Hint: "0 means never. A backup target must be in use", Numeric: true},
		{Name: "keep_hourly", Label: "Hourly restore points kept", Value: f.KeepHourly, Hint: "The newest of each of the last so many hours that have one", Numeric: true},
		{Name: "keep_daily", Label: "Daily restore points kept", Value: f.KeepDaily, Hint: "Likewise of days, in UTC", Numeric: true},
		{Name: "keep_weekly", Label: "Weekly restore points kept", Value: f.KeepWeekly, Hint: "Likewise of weeks, which begin on Monday", Numeric: true},
		{Name: "keep_monthly", Label: "Monthly restore points kept", Value: f.KeepMonthly, Hint: "Likewise of months. The newest restore point and those with a note are always kept", Numeric: true},
		{Name: "drill_every", Label: "Days between restore drills", Value: f.DrillEvery, Hint: "0 means never. A drill restores the newest restore point into a namespace of its own and places an order there", Numeric: true},
	}
	for i := range fields {
		if refused != nil && refused.Field == fields[i].Name {
			fields[i].Error = plain(refused.Message)
		}
	}
	return fields
}

func (a *App) newPlan(c echo.Context) error {
	standard, err := a.DB.Plan(c.Request().Context(), signin.VisitorOf(c).Actor, a.DB.DefaultPlan())
	if err != nil {
		return err
	}
	form := formOf(standard)
	form.Name, form.Label = "", ""
	return a.planPage(c, form, true, nil)
}

func (a *App) editPlan(c echo.Context) error {
	p, err := a.DB.Plan(c.Request().Context(), signin.VisitorOf(c).Actor, c.Param("name"))
	if err != nil {
		return err
	}
	return a.planPage(c, formOf(p), false, nil)
}

func (a *App) addPlan(c echo.Context) error {
	var form planForm
	if err := c.Bind(&form); err != nil {
		return err
	}
	return a.planSaved(c, form, true, a.DB.AddPlan(c.Request().Context(), signin.VisitorOf(c).Actor, form.plan()))
}

func (a *App) savePlan(c echo.Context) error {
	var form planForm
	if err := c.Bind(&form); err != nil {
		return err
	}
	form.Name = c.Param("name")
	return a.planSaved(c, form, false, a.DB.SavePlan(c.Request().Context(), signin.VisitorOf(c).Actor, form.plan()))
}

// planSaved returns to the list of plans, or shows the form as typed with the error at its field.
func (a *App) planSaved(c echo.Context, form planForm, isNew bool, err error) error {
	if refused, ok := errors.AsType[*store.Error](err); ok && refused.Field != "" {
		return a.planPage(c, form, isNew, refused)
	}
	if err != nil {
		return err
	}
	return reply.GoTo(c, plansPath)
}

func (a *App) planPage(c echo.Context, form planForm, isNew bool, refused *store.Error) error {
	shell, err := a.adminShell(c, "Plans", nil)
	if err != nil {
		return err
	}
	page := views.AdminPlanPage{Shell: shell, New: isNew, Fields: form.fields(!isNew, refused), Action: plansPath, Title: "Add a plan", Submit: "Add"}
	if !isNew {
		page.Action, page.Submit = plansPath+"/"+form.Name, "Save"
		if page.Title, page.Notes, err = a.planNotes(c, form.Name); err != nil {
			return err
		}
	}
	status := http.StatusOK
	if refused != nil {
		status = http.StatusUnprocessableEntity
	}
	return reply.Render(c, status, views.AdminPlanForm(page))
}

// planNotes returns what a plan gives now, and when existing stores get a change of it.
func (a *App) planNotes(c echo.Context, name string) (title string, notes []string, err error) {
	p, err := a.DB.Plan(c.Request().Context(), signin.VisitorOf(c).Actor, name)
	if err != nil {
		return "", nil, err
	}
	notes = []string{"A store gets " + phrase.Allowance(p.Figures()) + ". Existing stores get the new limits at their next change: an upgrade, rollback, repair or retry. Changes to backups and drills apply at once."}
	misfits, err := a.Provisioner.Misfits(p)
	return "Plan " + word(p.Label), append(notes, misfits...), err
}
