package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/cmd/shopwright/client"
	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/store"
)

// storesCmd has the commands about stores.
type storesCmd struct {
	List        storesListCmd   `cmd:"" help:"List stores."`
	Create      storesCreateCmd `cmd:"" help:"Create a store."`
	Show        storesShowCmd   `cmd:"" help:"Show a store and the steps of its current work."`
	Delete      storesDeleteCmd `cmd:"" help:"Delete a store with all its data."`
	Retry       requestCmd      `cmd:"" help:"Retry a failed store."`
	Repair      requestCmd      `cmd:"" help:"Restore what the store’s chart says."`
	Rebuild     rebuildCmd      `cmd:"" help:"Rebuild a store whose data is lost, from a restore point or empty."`
	Check       requestCmd      `cmd:"" help:"Run the order check of a store."`
	Backup      backupCmd       `cmd:"" help:"Back up a store: make a restore point."`
	Points      pointsCmd       `cmd:"" help:"List the restore points of a store, also of a deleted one by its ID."`
	Drill       drillCmd        `cmd:"" help:"Rehearse the restore of a store: restore a point into a separate namespace, place an order there and remove it."`
	Drills      drillsCmd       `cmd:"" help:"List the newest restore drills of a store."`
	Deleted     deletedCmd      `cmd:"" help:"List deleted stores that have restore points."`
	Upgrade     upgradeCmd      `cmd:"" help:"Upgrade a store to the offered version."`
	Rollback    rollbackCmd     `cmd:"" help:"Roll a store back to an earlier revision."`
	Owner       ownerCmd        `cmd:"" help:"Change the email address of a store’s owner."`
	Cancel      requestCmd      `cmd:"" help:"Cancel the change in progress and roll it back."`
	History     historyCmd      `cmd:"" help:"List the revisions of a store."`
	Logs        logsCmd         `cmd:"" help:"Show the log of a container of a store."`
	Credentials credentialsCmd  `cmd:"" help:"Show the admin login of a store; the activity records it."`
}

// storeArg names a store.
type storeArg struct {
	Store string `arg:"" help:"ID or slug of the store, such as my-shop."`
}

// find returns the id of the store.
func (a storeArg) find(ctx context.Context, c *client.Client) (string, error) {
	if uuid.Validate(a.Store) == nil {
		return a.Store, nil
	}
	stores, err := c.Stores(ctx, url.Values{"q": {firstRunes(a.Store, 100)}, "limit": {"100"}}, 0)
	if err != nil {
		return "", err
	}
	for _, st := range stores {
		if st.Slug == a.Store || st.Host == a.Store {
			return st.ID, nil
		}
	}
	return "", notFound{fmt.Sprintf("store %q not found, or you don’t have access to it: list your stores with shopwright stores list", a.Store)}
}

func firstRunes(text string, n int) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), n)])
}

// notFound says that a store does not exist, or is not visible.
type notFound struct{ message string }

// Error implements error.
func (e notFound) Error() string { return e.message }

// storeCmd is what all commands about one store have in common.
type storeCmd struct {
	remote   `embed:""`
	output   `embed:""`
	storeArg `embed:""`
}

// open returns the client and the id of the store.
func (c *storeCmd) open(ctx context.Context) (*client.Client, string, error) {
	to, err := c.client()
	if err != nil {
		return nil, "", err
	}
	id, err := c.find(ctx, to)
	return to, id, err
}

type storesListCmd struct {
	remote `embed:""`
	output `embed:""`
	Search string `short:"q" help:"Only stores with this text in their name or address."`
	Status string `help:"Only stores with this status."`
	Engine string `help:"Only stores with this engine."`
	Sort   string `enum:"newest,oldest,name" default:"newest" help:"Sort order: newest, oldest or name."`
	Limit  int    `help:"Maximum number of stores; 0 for all."`
}

// Run implements the subcommand.
func (c *storesListCmd) Run(ctx context.Context, at console) error {
	to, err := c.client()
	if err != nil {
		return err
	}
	query := url.Values{"sort": {c.Sort}, "limit": {"100"}}
	for name, value := range map[string]string{"q": c.Search, "status": c.Status, "engine": c.Engine} {
		if value != "" {
			query.Set(name, value)
		}
	}
	stores, err := to.Stores(ctx, query, c.Limit)
	if err != nil {
		return err
	}
	if stores == nil {
		stores = []v1.Store{}
	}
	var rows [][]string
	for _, st := range stores {
		rows = append(rows, []string{st.Slug, string(st.Status), st.Engine, ago(st.CreatedAt), st.URL, st.Name})
	}
	return c.show(at.out, stores, []string{"ADDRESS", "STATUS", "ENGINE", "AGE", "URL", "NAME"}, rows)
}

type storesCreateCmd struct {
	remote     `embed:""`
	output     `embed:""`
	waiting    `embed:""`
	Name       string `arg:"" help:"Name of the store."`
	From       string `placeholder:"POINT" help:"Restore point that the store is opened with; it decides the engine, template, country and currency. See shopwright stores points."`
	Engine     string `help:"Engine; the installation’s first engine when empty."`
	Slug       string `help:"First part of the host name; generated from the name when empty."`
	Template   string `help:"Template of the shop."`
	Country    string `help:"Country, such as DE."`
	Currency   string `help:"Currency, such as EUR; the country’s currency when empty."`
	OwnerEmail string `placeholder:"ADDRESS" help:"Email address of the owner; your verified address when empty."`
	Key        string `help:"Makes the command safe to repeat: the same key creates one store. Random when empty."`
}

// Run implements the subcommand.
func (c *storesCreateCmd) Run(ctx context.Context, at console) error {
	to, err := c.client()
	if err != nil {
		return err
	}
	if c.Key == "" {
		c.Key = uuid.NewString()
	}
	if c.Engine == "" && c.From == "" {
		if c.Engine, err = to.FirstEngine(ctx); err != nil {
			return err
		}
	}
	wanted := v1.NewStore{Name: c.Name, Slug: c.Slug, Engine: c.Engine, Template: c.Template, Country: c.Country, Currency: c.Currency, OwnerEmail: c.OwnerEmail, From: c.From}
	st, err := askOnce(func() (v1.Store, error) { return to.Create(ctx, wanted, c.Key) })
	if err != nil {
		return err
	}
	return c.finish(ctx, at, to, c.output, st)
}

// askOnce repeats a request, which has a key, if there was no response.
func askOnce[T any](ask func() (T, error)) (T, error) {
	answer, err := ask()
	if errors.As(err, new(*client.UnreachableError)) {
		return ask()
	}
	return answer, err
}

type storesShowCmd struct {
	storeCmd `embed:""`
}

// Run implements the subcommand.
func (c *storesShowCmd) Run(ctx context.Context, at console) error {
	to, id, err := c.open(ctx)
	if err != nil {
		return err
	}
	st, err := to.Store(ctx, id)
	if err != nil {
		return err
	}
	return c.show(at.out, st, nil, detailRows(st))
}

// detailRows returns the rows that describe a store.
func detailRows(st v1.StoreDetail) [][]string {
	rows := storeRows(st.Store)
	if st.Pods != nil {
		rows = append(rows, []string{"pods", fmt.Sprintf("%d of %d ready, %d restarts", st.Pods.Ready, st.Pods.Total, st.Pods.Restarts)})
	}
	for _, step := range st.Work.Steps {
		rows = append(rows, []string{"step " + step.Label, stepText(step)})
	}
	for _, r := range st.Resources {
		if r.Used != "" {
			rows = append(rows, []string{"uses " + r.Name, r.Used + " of " + r.Hard})
		}
	}
	return rows
}

func stepText(s v1.Step) string {
	text := s.State
	if s.Seconds > 0 {
		text += fmt.Sprintf(" in %.1fs", s.Seconds)
	}
	if s.Message != "" {
		text += ": " + s.Message
	}
	return text
}

func storeRows(st v1.Store) [][]string {
	rows := [][]string{{"name", st.Name}, {"address", st.Slug}, {"id", st.ID}, {"status", string(st.Status)}}
	for _, row := range [][]string{
		{"url", st.URL}, {"admin", st.AdminURL}, {"engine", strings.TrimSpace(st.Engine + " " + st.Chart)}, {"country", st.Country + ", " + st.Currency},
		{"owner", st.OwnerEmail}, {"restored", originText(st.Origin)},
		{"namespace", st.Namespace}, {"created", st.CreatedAt.Local().Format(time.DateTime)},
	} {
		if row[1] != "" {
			rows = append(rows, row)
		}
	}
	if f := st.Failure; f != nil {
		rows = append(rows, []string{"failure", f.Title}, []string{"cause", f.Cause}, []string{"next", f.Next})
	}
	return rows
}

// originText says with which restore point a store was opened.
func originText(o *v1.Origin) string {
	if o == nil {
		return ""
	}
	return fmt.Sprintf("from %s, point of %s", o.Name, o.MadeAt.Local().Format(time.DateTime))
}

type storesDeleteCmd struct {
	storeCmd `embed:""`
	waiting  `embed:""`
	Yes      bool `help:"Don’t ask for confirmation."`
	Backup   bool `default:"true" negatable:"" help:"Make a restore point first, if a backup target is in use."`
}

// Run implements the subcommand.
func (c *storesDeleteCmd) Run(ctx context.Context, at console) error {
	to, id, err := c.open(ctx)
	if err != nil {
		return err
	}
	if !c.Yes {
		st, err := to.Store(ctx, id)
		if err != nil {
			return err
		}
		at.say("The shop closes. Its disks with all orders and products, and its passwords are deleted permanently.")
		typed, err := at.ask(fmt.Sprintf("Type the store’s name, %s, to delete it", st.Name), false)
		if err != nil {
			return fmt.Errorf("%w: add --yes", err)
		}
		if typed != st.Name {
			return usageError{errors.New("the name doesn’t match: nothing was deleted")}
		}
	}
	st, err := to.Delete(ctx, id, c.Backup)
	if err != nil {
		return err
	}
	return c.finish(ctx, at, to, c.output, st)
}

// requestCmd sends the request that its name says, such as retry.
type requestCmd struct {
	storeCmd `embed:""`
	waiting  `embed:""`
	name     string
}

// Run implements the subcommand.
func (c *requestCmd) Run(ctx context.Context, at console) error {
	to, id, err := c.open(ctx)
	if err != nil {
		return err
	}
	st, err := to.Request(ctx, id, c.name)
	if err != nil {
		return err
	}
	return c.finish(ctx, at, to, c.output, st)
}

type rebuildCmd struct {
	storeCmd `embed:""`
	waiting  `embed:""`
	Point    string `placeholder:"ID" help:"Restore point that it starts with, or newest. Empty to start without data."`
}

// Run implements the subcommand.
func (c *rebuildCmd) Run(ctx context.Context, at console) error {
	to, id, err := c.open(ctx)
	if err != nil {
		return err
	}
	point := c.Point
	if point == "newest" {
		if point, err = newestPoint(ctx, to, id); err != nil {
			return err
		}
	}
	st, err := to.Rebuild(ctx, id, point)
	if err != nil {
		return err
	}
	return c.finish(ctx, at, to, c.output, st)
}

// newestPoint is the id of a store's newest restore point.
func newestPoint(ctx context.Context, to *client.Client, id string) (string, error) {
	list, err := to.Points(ctx, id)
	if err != nil {
		return "", err
	}
	if len(list.Points) == 0 {
		return "", usageError{errors.New("the store has no restore point")}
	}
	return list.Points[0].ID, nil
}

type ownerCmd struct {
	storeCmd `embed:""`
	waiting  `embed:""`
	Email    string `arg:"" help:"New email address of the owner."`
}

// Run implements the subcommand.
func (c *ownerCmd) Run(ctx context.Context, at console) error {
	to, id, err := c.open(ctx)
	if err != nil {
		return err
	}
	st, err := to.ChangeOwner(ctx, id, c.Email)
	if err != nil {
		return err
	}
	return c.finish(ctx, at, to, c.output, st)
}

type upgradeCmd struct {
	storeCmd `embed:""`
	waiting  `embed:""`
	Image    map[string]string `help:"Version that differs from the offered one, as NAME=VERSION; repeatable."`
	Stay     bool              `help:"Keep a failed upgrade in place for inspection."`
	Backup   bool              `default:"true" negatable:"" help:"Make a restore point first, if a backup target is in use."`
	Preview  bool              `help:"Show the changes without making them."`
}

// Run implements the subcommand.
func (c *upgradeCmd) Run(ctx context.Context, at console) error {
	to, id, err := c.open(ctx)
	if err != nil {
		return err
	}
	if c.Preview {
		comparison, err := to.PreviewUpgrade(ctx, id, c.Image)
		if err != nil {
			return err
		}
		return showComparison(at, c.output, comparison)
	}
	st, err := to.Upgrade(ctx, id, v1.Upgrade{Images: c.Image, Stay: c.Stay, Backup: &c.Backup})
	if err != nil {
		return err
	}
	return c.finish(ctx, at, to, c.output, st)
}

type rollbackCmd struct {
	storeCmd `embed:""`
	waiting  `embed:""`
	Revision int  `arg:"" help:"Number of the revision; shopwright stores history lists them."`
	Preview  bool `help:"Show the changes without making them."`
}

// Run implements the subcommand.
func (c *rollbackCmd) Run(ctx context.Context, at console) error {
	to, id, err := c.open(ctx)
	if err != nil {
		return err
	}
	if c.Preview {
		comparison, err := to.PreviewRollback(ctx, id, c.Revision)
		if err != nil {
			return err
		}
		return showComparison(at, c.output, comparison)
	}
	st, err := to.Rollback(ctx, id, c.Revision)
	if err != nil {
		return err
	}
	return c.finish(ctx, at, to, c.output, st)
}

func showComparison(at console, o output, c v1.Comparison) error {
	if o.Output != "table" {
		return o.show(at.out, c, nil, nil)
	}
	for _, part := range c.Parts {
		if _, err := fmt.Fprintf(at.out, "%s (%s)\n%s\n", part.Name, part.Change, part.Diff); err != nil {
			return err
		}
	}
	at.say("%d of %d objects and values differ, chart %s.", len(c.Parts), c.Objects, c.ToChart)
	return nil
}

type historyCmd struct {
	storeCmd `embed:""`
}

// Run implements the subcommand.
func (c *historyCmd) Run(ctx context.Context, at console) error {
	to, id, err := c.open(ctx)
	if err != nil {
		return err
	}
	releases, err := to.Releases(ctx, id)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, r := range releases.Revisions {
		who := r.Actor
		if who == "" {
			who = store.Platform
		}
		rows = append(rows, []string{strconv.Itoa(r.Number), string(r.State), r.Kind, r.Chart, ago(r.BeganAt), who, r.Note})
	}
	return c.show(at.out, releases, []string{"REVISION", "STATE", "KIND", "CHART", "AGE", "BY", "NOTE"}, rows)
}

type logsCmd struct {
	remote    `embed:""`
	storeArg  `embed:""`
	Pod       string `help:"Pod; the first running pod when empty."`
	Container string `short:"c" help:"Container; the pod’s first container when empty."`
	Follow    bool   `short:"f" help:"Follow the log."`
	Tail      int    `default:"500" help:"Number of lines from the end."`
	Since     string `help:"Start time such as 2026-01-02T15:04:05Z, or age such as 10m."`
	Previous  bool   `help:"Log from before the container’s last restart."`
}

// Run implements the subcommand.
func (c *logsCmd) Run(ctx context.Context, at console) error {
	to, err := c.client()
	if err != nil {
		return err
	}
	id, err := c.find(ctx, to)
	if err != nil {
		return err
	}
	query := url.Values{"tail": {strconv.Itoa(c.Tail)}, "follow": {strconv.FormatBool(c.Follow)}, "previous": {strconv.FormatBool(c.Previous)}}
	for name, value := range map[string]string{"pod": c.Pod, "container": c.Container, "since": c.Since} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return to.Log(ctx, id, query, at.out)
}

type credentialsCmd struct {
	storeCmd `embed:""`
}

// Run implements the subcommand.
func (c *credentialsCmd) Run(ctx context.Context, at console) error {
	to, id, err := c.open(ctx)
	if err != nil {
		return err
	}
	login, err := to.Credentials(ctx, id)
	if err != nil {
		return err
	}
	return c.show(at.out, login, nil, [][]string{{"admin", login.AdminURL}, {"user", login.Username}, {"password", login.Password}})
}
