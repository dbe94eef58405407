package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/store/database"
)

// loginLinkCmd prints a link that signs in the administrator, also while Shopwright runs. It needs no
// permission: anyone who can write to the database could give themselves access without it.
type loginLinkCmd struct {
	config `embed:""`
}

// Run implements the subcommand.
func (c *loginLinkCmd) Run(ctx context.Context, stdout io.Writer) error {
	if err := c.validate(); err != nil {
		return err
	}
	db, err := c.openBeside(ctx)
	if err != nil {
		return err
	}
	secret, err := db.CreateLoginLink(ctx)
	if err == nil {
		_, err = fmt.Fprintln(stdout, signin.LoginLink(c.baseURL(c.Addr), secret))
	}
	return errors.Join(err, db.Close())
}

// openBeside opens the database of an installation that has been started before, also while it runs.
func (c *config) openBeside(ctx context.Context, options ...database.Option) (*database.DB, error) {
	if path, lite := strings.CutPrefix(c.databaseURL(), "sqlite:"); lite {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("no database at %s yet: start Shopwright first, or set SHOPWRIGHT_DATA_DIR to its directory", path)
		}
	}
	return database.Open(ctx, c.databaseURL(), options...)
}
