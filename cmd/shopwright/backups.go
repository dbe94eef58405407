package main

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/cmd/shopwright/client"
	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
)

type backupCmd struct {
	storeCmd `embed:""`
	waiting  `embed:""`
	Note     string `help:"Note that is shown in the list of restore points, such as \"before the sale\"."`
	Key      string `help:"Makes the command safe to repeat: the same key makes one backup. Random when empty."`
}

// Run implements the subcommand.
func (c *backupCmd) Run(ctx context.Context, at console) error {
	to, id, err := c.open(ctx)
	if err != nil {
		return err
	}
	key := cmp.Or(c.Key, uuid.NewString())
	asked, err := askOnce(func() (v1.Backup, error) { return to.BackUp(ctx, id, v1.NewBackup{Note: c.Note}, key) })
	if err != nil {
		return err
	}
	if !c.Wait {
		return c.show(at.out, asked, nil, backupRows(asked))
	}
	late := stillAtWork{"the backup is still in progress and continues on the server: shopwright stores points shows what comes of it"}
	ctx, cancel := context.WithTimeoutCause(ctx, c.Timeout, late)
	defer cancel()
	done, err := followBackup(ctx, at, to, asked)
	if done.ID != "" {
		err = errors.Join(c.show(at.out, done, nil, backupRows(done.Backup)), err)
	}
	return err
}

// followBackup shows the steps of a backup until it has ended.
func followBackup(ctx context.Context, at console, to *client.Client, asked v1.Backup) (done v1.BackupDetail, err error) {
	told := steps{}
	err = await(ctx, to, asked.Store, func() (over bool, err error) {
		b, err := to.Backup(ctx, asked.Store, asked.ID)
		if err != nil {
			return false, err
		}
		told.tell(at, b.Work)
		if b.State == store.JobPending {
			return false, nil
		}
		done = b
		return true, howEnded(b.Backup)
	})
	return done, err
}

// howEnded is an error unless the backup has made a point.
func howEnded(b v1.Backup) error {
	switch {
	case b.State == store.JobDone:
		return nil
	case b.Failure != nil:
		return backupFailed{"the backup failed: " + b.Failure.Title + ". " + b.Failure.Next}
	default:
		return backupFailed{"another change of the store has cancelled the backup: repeat it when the store is ready"}
	}
}

// backupFailed says that a backup made no point.
type backupFailed struct{ message string }

// Error implements error.
func (e backupFailed) Error() string { return e.message }

func backupRows(b v1.Backup) [][]string {
	rows := [][]string{{"id", b.ID}, {"state", string(b.State)}}
	if b.Note != "" {
		rows = append(rows, []string{"note", b.Note})
	}
	if f := b.Failure; f != nil {
		rows = append(rows, []string{"failure", f.Title}, []string{"cause", f.Cause}, []string{"next", f.Next})
	}
	return rows
}

type pointsCmd struct {
	storeCmd `embed:""`
}

// Run implements the subcommand.
func (c *pointsCmd) Run(ctx context.Context, at console) error {
	to, id, err := c.open(ctx)
	if err != nil {
		return err
	}
	list, err := to.Points(ctx, id)
	if err != nil {
		return err
	}
	if c.Output == "table" {
		tellNewest(at, list)
	}
	var rows [][]string
	for _, p := range list.Points {
		rows = append(rows, pointRow(p))
	}
	return c.show(at.out, list, []string{"ID", "AGE", "REASON", "SIZE", "ORDERS", "ADDED", "DURATION", "TARGET", "CHART", "BY", "NOTE"}, rows)
}

// tellNewest tells of the newest backup what is in no list of points.
func tellNewest(at console, list v1.PointList) {
	switch b := list.Backup; {
	case b == nil:
	case b.State == store.JobPending:
		at.say("Backup in progress: %s. Requested by %s %s ago.", phrase.Step(cmp.Or(b.Step, store.StepQueued)), cmp.Or(b.Actor, store.Platform), ago(b.AskedAt))
	case b.Failure != nil:
		at.say("The newest backup failed: %s. %s", b.Failure.Title, b.Failure.Next)
	}
	tellDrill(at, list.Drill)
	if list.Target == "" && !list.Deleted {
		at.say("No backup target is in use.")
	}
}

type deletedCmd struct {
	remote `embed:""`
	output `embed:""`
}

// Run implements the subcommand.
func (c *deletedCmd) Run(ctx context.Context, at console) error {
	to, err := c.client()
	if err != nil {
		return err
	}
	stores, err := to.DeletedStores(ctx)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, st := range stores {
		rows = append(rows, []string{st.ID, ago(st.DeletedAt), st.Engine, st.Host, st.Name})
	}
	return c.show(at.out, stores, []string{"ID", "DELETED", "ENGINE", "HOST", "NAME"}, rows)
}

func pointRow(p v1.Point) []string {
	size, added := phrase.Bytes(p.Bytes), phrase.Bytes(p.Added)
	if p.Simulated {
		size, added = "simulated", "-"
	}
	notes := []string{}
	if p.Note != "" {
		notes = append(notes, p.Note)
	}
	if p.Locked > 0 {
		notes = append(notes, phrase.Count(p.Locked, "table")+" locked meanwhile")
	}
	took := time.Duration(p.Seconds * float64(time.Second)).Round(100 * time.Millisecond)
	orders := "-"
	if p.Contents != nil {
		orders = strconv.Itoa(p.Contents.Orders)
	}
	return []string{
		p.ID, ago(p.EndedAt), string(p.Reason), size, orders, added, took.String(), p.Target, p.Chart, cmp.Or(p.Actor, store.Platform), strings.Join(notes, "; "),
	}
}
