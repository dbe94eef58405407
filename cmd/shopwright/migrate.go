package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"shopwright.dev/shopwright/store/database"
)

// migrateCmd has the commands about the schema of the database, and about its move to another one.
type migrateCmd struct {
	Status migrateStatusCmd `cmd:"" help:"Show the version of the schema and the pending migrations."`
	Up     migrateUpCmd     `cmd:"" help:"Apply the pending migrations, as the server does when it starts."`
	Copy   migrateCopyCmd   `cmd:"" help:"Copy a SQLite database to an empty Postgres database and compare every row."`
}

// migrateStatusCmd shows the version of the schema. It changes nothing.
type migrateStatusCmd struct {
	config `embed:""`
	output `embed:""`
}

// schemaStatus is the output of migrate status.
type schemaStatus struct {
	Database      string   `json:"database"` // SQLite or Postgres
	Name          string   `json:"name"`
	SchemaVersion int64    `json:"schemaVersion"`
	NewestKnown   int64    `json:"newestKnown"` // by this binary
	Pending       []string `json:"pending"`     // names of migrations
	Newer         bool     `json:"newer"`       // whether a newer binary has migrated the database
	Usable        bool     `json:"usable"`      // by this binary, once the pending migrations are applied
}

// Run implements the subcommand.
func (c *migrateStatusCmd) Run(ctx context.Context, stdout io.Writer) error {
	schema, err := database.ReadSchema(ctx, c.databaseURL())
	if err != nil {
		return err
	}
	status := schemaStatus{
		Database: schema.Kind, Name: schema.Name, SchemaVersion: schema.Version, NewestKnown: schema.Known,
		Pending: migrationNames(schema.Pending), Newer: schema.Newer(), Usable: !schema.Refused(),
	}
	if err := c.show(stdout, status, nil, status.rows()); err != nil || !status.Newer || c.Output != "table" {
		return err
	}
	advice := "The database is newer than this binary, which can still use it."
	if !status.Usable {
		advice = "The database is newer than this binary. Run the version of Shopwright that migrated it, or restore the backup from before."
	}
	_, err = fmt.Fprintln(stdout, advice)
	return err
}

func (s schemaStatus) rows() [][]string {
	return [][]string{
		{"Database", s.Database + ", " + s.Name},
		{"Schema version", strconv.FormatInt(s.SchemaVersion, 10)},
		{"Newest known", fmt.Sprintf("%d, to shopwright %s", s.NewestKnown, currentVersion())},
		{"Pending", cmp.Or(strings.Join(s.Pending, ", "), "none")},
	}
}

func migrationNames(all []database.Migration) []string {
	names := make([]string, len(all))
	for i, m := range all {
		names[i] = m.Name
	}
	return names
}

// migrateUpCmd applies the pending migrations, for example before a new version is rolled out.
type migrateUpCmd struct {
	config `embed:""`
}

// Run implements the subcommand.
func (c *migrateUpCmd) Run(ctx context.Context, stdout io.Writer) error {
	applied, err := database.Migrate(ctx, c.databaseURL())
	for _, name := range migrationNames(applied) {
		if _, err := fmt.Fprintln(stdout, "Applied", name); err != nil {
			return err
		}
	}
	if err == nil && len(applied) == 0 {
		_, err = fmt.Fprintln(stdout, "Nothing to do: the schema is up to date.")
	}
	return err
}
