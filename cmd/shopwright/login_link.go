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

// loginLinkCmd lets the administrator in, also while Shopwright runs: whoever can read its
// records may do what they want anyway.
type loginLinkCmd struct {
	config `embed:""`
}

// Run implements the subcommand.
func (c *loginLinkCmd) Run(ctx context.Context, stdout io.Writer) error {
	if err := c.validate(); err != nil {
		return err
	}
	if path, lite := strings.CutPrefix(c.databaseURL(), "sqlite:"); lite {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("no database at %s yet: start Shopwright first, or set SHOPWRIGHT_DATA_DIR to its directory", path)
		}
	}
	db, err := database.Open(ctx, c.databaseURL())
	if err != nil {
		return err
	}
	secret, err := db.CreateLoginLink(ctx)
	if err == nil {
		_, err = fmt.Fprintln(stdout, signin.LoginLink(c.baseURL(c.Addr), secret))
	}
	return errors.Join(err, db.Close())
}
