package main

import (
	"context"
	"fmt"
	"io"

	"shopwright.dev/shopwright/store/database"
)

// migrateCopyCmd copies a SQLite database to Postgres.
type migrateCopyCmd struct {
	From string `required:"" help:"SQLite file to copy, such as .data/shopwright.db. No server may use it."`
	To   string `required:"" env:"SHOPWRIGHT_DATABASE_URL" help:"postgres://… of an empty database."`
}

// Run implements the subcommand.
func (c *migrateCopyCmd) Run(ctx context.Context, stdout io.Writer) error {
	copied, err := database.Copy(ctx, c.From, cutSpace(c.To))
	if err != nil {
		return err
	}
	var rows int64
	list := make([][]string, len(copied))
	for i, t := range copied {
		list[i] = []string{t.Name, fmt.Sprint(t.Rows)}
		rows += t.Rows
	}
	if err := table(stdout, []string{"TABLE", "ROWS"}, list); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "Copied and compared %d rows of %d tables. Set SHOPWRIGHT_DATABASE_URL to the new database and start Shopwright.\n", rows, len(copied))
	return err
}
