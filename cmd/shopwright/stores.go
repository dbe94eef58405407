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
	"shopwright.dev/shopwright/handlers/api"
	"shopwright.dev/shopwright/store"
)

// storesCmd are the commands about stores.
type storesCmd struct {
	List        storesListCmd   `cmd:"" help:"List stores."`
	Create      storesCreateCmd `cmd:"" help:"Create a store."`
	Show        storesShowCmd   `cmd:"" help:"Show a store with the steps of the work on it."`
	Delete      storesDeleteCmd `cmd:"" help:"Delete a store with all its data."`
	Retry       wishCmd         `cmd:"" help:"Set a failed store going again."`
	Repair      wishCmd         `cmd:"" help:"Put a store back to what its chart says."`
	Rebuild     wishCmd         `cmd:"" help:"Open a store whose data are lost anew and empty."`
	Check       wishCmd         `cmd:"" help:"Have a store checked with an order."`
	Upgrade     upgradeCmd      `cmd:"" help:"Bring a store to what is offered now."`
	Rollback    rollbackCmd     `cmd:"" help:"Bring a store back to an earlier revision."`
	Owner       ownerCmd        `cmd:"" help:"Change the address of a store’s owner."`
	Cancel      wishCmd         `cmd:"" help:"Cancel the change under way, and go back."`
	History     historyCmd      `cmd:"" help:"List the revisions of a store."`
	Logs        logsCmd         `cmd:"" help:"Show the log of a container of a store."`
	Credentials credentialsCmd  `cmd:"" help:"Show the admin login of a store, which is noted in the activity."`
}

// storeArg names a store.
type storeArg struct {
	Store string `arg:"" help:"Id or address of the store, such as my-shop."`
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
	return "", notFound{fmt.Sprintf("there is no store %q, or it is not yours to see: shopwright stores list shows those you have", a.Store)}
}

func firstRunes(text string, n int) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), n)])
}

// notFound says that a store that was named is not there.
type notFound struct{ message string }

// Error implements error.
func (e notFound) Error() string { return e.message }

// storeCmd is what all commands about one store have.
type storeCmd struct {
	remote   `embed:""`
	output   `embed:""`
	storeArg `embed:""`
}

// open returns whom to ask, and the id of the store.
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
	Search string `short:"q" help:"Only those with this in their name or address."`
	Status string `help:"Only those of this status."`
	Engine string `help:"Only those of this engine."`
	Sort   string `enum:"newest,oldest,name" default:"newest" help:"newest, oldest or name."`
	Limit  int    `help:"At most so many; all when 0."`
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
		stores = []api.Store{}
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
	Engine     string `help:"Engine; the first that the installation offers when empty."`
	Slug       string `help:"Its part of the address; made from the name when empty."`
	Template   string `help:"What the shop begins with."`
	Country    string `help:"Country, such as DE."`
	Currency   string `help:"Currency, such as EUR; the country’s own when empty."`
	OwnerEmail string `placeholder:"ADDRESS" help:"The owner’s address, to which the shop writes; your own verified one when empty."`
	Key        string `help:"Makes it safe to run the command again: the same key makes one store. Drawn at random when empty."`
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
	if c.Engine == "" {
		if c.Engine, err = to.FirstEngine(ctx); err != nil {
			return err
		}
	}
	wanted := api.NewStore{Name: c.Name, Slug: c.Slug, Engine: c.Engine, Template: c.Template, Country: c.Country, Currency: c.Currency, OwnerEmail: c.OwnerEmail}
	st, err := createOnce(ctx, to, wanted, c.Key)
	if err != nil {
		return err
	}
	return c.finish(ctx, at, to, c.output, st)
}

// createOnce asks again, with the same key, when the answer to the first time was lost.
func createOnce(ctx context.Context, to *client.Client, wanted api.NewStore, key string) (api.Store, error) {
	st, err := to.Create(ctx, wanted, key)
	if errors.As(err, new(*client.UnreachableError)) {
		return to.Create(ctx, wanted, key)
	}
	return st, err
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

// detailRows are what people want to know of a store.
func detailRows(st api.StoreDetail) [][]string {
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

func stepText(s api.Step) string {
	text := s.State
	if s.Seconds > 0 {
		text += fmt.Sprintf(" in %.1fs", s.Seconds)
	}
	if s.Message != "" {
		text += ": " + s.Message
	}
	return text
}

func storeRows(st api.Store) [][]string {
	rows := [][]string{{"name", st.Name}, {"address", st.Slug}, {"id", st.ID}, {"status", string(st.Status)}}
	for _, row := range [][]string{
		{"url", st.URL}, {"admin", st.AdminURL}, {"engine", strings.TrimSpace(st.Engine + " " + st.Chart)}, {"country", st.Country + ", " + st.Currency},
		{"owner", st.OwnerEmail},
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

type storesDeleteCmd struct {
	storeCmd `embed:""`
	waiting  `embed:""`
	Yes      bool `help:"Do not ask for the name."`
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
		at.say("The shop closes at once, and its disks with all orders and products, and its passwords are gone for good.")
		typed, err := at.ask(fmt.Sprintf("Type the store’s name, %s, to delete it", st.Name), false)
		if err != nil {
			return fmt.Errorf("%w: add --yes", err)
		}
		if typed != st.Name {
			return usageError{errors.New("this is not the store’s name: nothing was deleted")}
		}
	}
	st, err := to.Delete(ctx, id)
	if err != nil {
		return err
	}
	return c.finish(ctx, at, to, c.output, st)
}

// wishCmd asks for what its own name says.
type wishCmd struct {
	storeCmd `embed:""`
	waiting  `embed:""`
	name     string
}

// Run implements the subcommand.
func (c *wishCmd) Run(ctx context.Context, at console) error {
	to, id, err := c.open(ctx)
	if err != nil {
		return err
	}
	st, err := to.Wish(ctx, id, c.name)
	if err != nil {
		return err
	}
	return c.finish(ctx, at, to, c.output, st)
}

type ownerCmd struct {
	storeCmd `embed:""`
	waiting  `embed:""`
	Email    string `arg:"" help:"Address to which the shop is to write."`
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
	Image    map[string]string `help:"Another version than the one offered, as NAME=VERSION; may be repeated."`
	Stay     bool              `help:"Keep what has failed in place, for a person to look at."`
	Preview  bool              `help:"Show what would change, and change nothing."`
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
	st, err := to.Upgrade(ctx, id, api.Upgrade{Images: c.Image, Stay: c.Stay})
	if err != nil {
		return err
	}
	return c.finish(ctx, at, to, c.output, st)
}

type rollbackCmd struct {
	storeCmd `embed:""`
	waiting  `embed:""`
	Revision int  `arg:"" help:"Number of the revision; shopwright stores history lists them."`
	Preview  bool `help:"Show what would change, and change nothing."`
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

func showComparison(at console, o output, c api.Comparison) error {
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
	Pod       string `help:"Pod; the first that runs when empty."`
	Container string `short:"c" help:"Container; the pod’s first when empty."`
	Follow    bool   `short:"f" help:"Go on with what is written later."`
	Tail      int    `default:"500" help:"Lines from the end to begin with."`
	Since     string `help:"A time such as 2026-01-02T15:04:05Z, or how long ago, such as 10m."`
	Previous  bool   `help:"Of the container before its last restart."`
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

// tokensCmd are the commands about tokens.
type tokensCmd struct {
	List   tokensListCmd   `cmd:"" help:"List your tokens."`
	Revoke tokensRevokeCmd `cmd:"" help:"Revoke a token."`
}

type tokensListCmd struct {
	remote `embed:""`
	output `embed:""`
}

// Run implements the subcommand.
func (c *tokensListCmd) Run(ctx context.Context, at console) error {
	to, err := c.client()
	if err != nil {
		return err
	}
	tokens, err := to.Tokens(ctx)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, k := range tokens {
		used := "never"
		if k.UsedAt != nil {
			used = ago(*k.UsedAt) + " ago"
		}
		var scopes []string
		for _, s := range k.Scopes {
			scopes = append(scopes, string(s))
		}
		rows = append(rows, []string{k.ID, k.Name, k.ExpiresAt.Local().Format(time.DateOnly), used, strings.Join(scopes, ",")})
	}
	return c.show(at.out, tokens, []string{"ID", "NAME", "EXPIRES", "USED", "SCOPES"}, rows)
}

type tokensRevokeCmd struct {
	remote `embed:""`
	ID     string `arg:"" help:"Id of the token; shopwright tokens list shows it."`
}

// Run implements the subcommand.
func (c *tokensRevokeCmd) Run(ctx context.Context, at console) error {
	to, err := c.client()
	if err != nil {
		return err
	}
	if err := to.RevokeToken(ctx, c.ID); err != nil {
		return err
	}
	at.say("Revoked.")
	return nil
}
