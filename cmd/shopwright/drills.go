package main

import (
	"context"
	"errors"
	"time"

	"shopwright.dev/shopwright/cmd/shopwright/client"
	"shopwright.dev/shopwright/handlers/api/v1"
)

type drillCmd struct {
	storeCmd `embed:""`
	waiting  `embed:""`
	Point    string `help:"Restore point to restore; the newest one when empty. See shopwright stores points."`
}

// Run implements the subcommand.
func (c *drillCmd) Run(ctx context.Context, at console) error {
	to, id, err := c.open(ctx)
	if err != nil {
		return err
	}
	asked, err := to.Drill(ctx, id, v1.NewDrill{Point: c.Point})
	if err != nil {
		return err
	}
	if !c.Wait {
		return c.show(at.out, asked, nil, drillRows(asked))
	}
	late := stillAtWork{"the drill is still in progress and continues on the server: shopwright stores drills shows what comes of it"}
	ctx, cancel := context.WithTimeoutCause(ctx, c.Timeout, late)
	defer cancel()
	done, err := followDrill(ctx, at, to, asked)
	if done.ID != "" {
		err = errors.Join(c.show(at.out, done, nil, drillRows(done)), err)
	}
	return err
}

// followDrill shows the steps of a drill until it has ended. Its store may be gone before the last ones are seen.
func followDrill(ctx context.Context, at console, to *client.Client, asked v1.Drill) (done v1.Drill, err error) {
	told := steps{}
	err = await(ctx, to, asked.ID, func() (over bool, err error) {
		list, err := to.Drills(ctx, asked.Store)
		if err != nil {
			return false, err
		}
		for _, d := range list.Drills {
			if d.ID == asked.ID && d.State != v1.DrillRunning {
				done = d
				return true, howDrillEnded(d)
			}
		}
		if st, err := to.Store(ctx, asked.ID); err == nil {
			told.tell(at, st.Work)
		}
		return false, nil
	})
	return done, err
}

// howDrillEnded is an error unless the drill has passed.
func howDrillEnded(d v1.Drill) error {
	switch f := d.Failure; {
	case d.State == v1.DrillPassed:
		return nil
	case d.State == v1.DrillCancelled:
		return drillFailed{"the drill was cancelled"}
	case f != nil:
		return drillFailed{"the drill failed: " + f.Title + ". " + f.Next}
	}
	return drillFailed{"the drill failed"}
}

// drillFailed says that a drill did not pass.
type drillFailed struct{ message string }

// Error implements error.
func (e drillFailed) Error() string { return e.message }

func drillRows(d v1.Drill) [][]string {
	rows := [][]string{{"id", d.ID}, {"state", string(d.State)}, {"point", d.Point}}
	if d.EndedAt != nil {
		rows = append(rows, []string{"duration", drillTook(d)}, []string{"result", drillResult(d)})
	}
	if f := d.Failure; f != nil {
		rows = append(rows, []string{"cause", f.Cause}, []string{"next", f.Next})
	}
	return rows
}

type drillsCmd struct {
	storeCmd `embed:""`
}

// Run implements the subcommand.
func (c *drillsCmd) Run(ctx context.Context, at console) error {
	to, id, err := c.open(ctx)
	if err != nil {
		return err
	}
	list, err := to.Drills(ctx, id)
	if err != nil {
		return err
	}
	if c.Output == "table" {
		tellSchedule(at, list.DrillSchedule)
	}
	var rows [][]string
	for _, d := range list.Drills {
		rows = append(rows, []string{d.ID, ago(d.BeganAt), string(d.State), drillTook(d), d.Point, drillResult(d)})
	}
	return c.show(at.out, list, []string{"ID", "AGE", "STATE", "DURATION", "POINT", "RESULT"}, rows)
}

func drillTook(d v1.Drill) string {
	if d.EndedAt == nil {
		return "-"
	}
	return time.Duration(d.Seconds * float64(time.Second)).Round(time.Second).String()
}

// drillResult says what came of a drill.
func drillResult(d v1.Drill) string {
	switch {
	case d.Failure != nil:
		return d.Failure.Title
	case d.Simulated:
		return "simulated"
	case d.Order != "":
		return "order " + d.Order
	}
	return ""
}

// tellDrill tells beside the restore points whether they are proven.
func tellDrill(at console, d *v1.DrillSummary) {
	if d == nil {
		return
	}
	switch last := d.Last; {
	case d.Running != nil:
		at.say("Restore drill in progress since %s.", ago(d.Running.BeganAt))
	case last == nil:
	case last.State == v1.DrillPassed:
		at.say("The newest restore drill passed %s ago.", ago(*last.EndedAt))
	case last.Failure != nil:
		at.say("The newest restore drill failed: %s. %s", last.Failure.Title, last.Failure.Next)
	}
	if d.Overdue {
		at.say("A restore drill is overdue.")
	}
}

func tellSchedule(at console, s v1.DrillSchedule) {
	switch {
	case s.EveryDays == 0:
		at.say("The store’s plan asks for no restore drills.")
	case s.Next != nil && s.Next.After(time.Now()):
		at.say("The next restore drill is due on %s.", s.Next.UTC().Format(time.DateTime+" UTC"))
	case s.Next != nil:
		at.say("A restore drill is due.")
	}
	if s.Overdue {
		at.say("A restore drill is overdue.")
	}
}
