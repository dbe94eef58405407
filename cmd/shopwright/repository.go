package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
)

// repositoryCmd shows where the restore points of a store are and how restic reads them, also while
// Shopwright runs or its cluster is lost. It needs no permission: the database and the secret key, which it needs,
// are enough to decrypt both.
type repositoryCmd struct {
	config `embed:""`
	Store  string `arg:"" help:"Address of the store, such as tea-and-tonic, or the ID of a deleted one."`
}

// Run implements the subcommand.
func (c *repositoryCmd) Run(ctx context.Context, stdout io.Writer) error {
	if err := c.validate(); err != nil {
		return err
	}
	keys, err := c.sessionKeys()
	if err != nil {
		return err
	}
	sealer, err := store.NewSealer(keys)
	if err != nil {
		return err
	}
	db, err := c.openBeside(ctx, database.WithSealer(sealer))
	if err != nil {
		return err
	}
	all, err := db.UnguardedRepositories(ctx, c.Store)
	switch {
	case errors.Is(err, store.ErrSealed):
		err = fmt.Errorf("the secrets were encrypted with another SHOPWRIGHT_SECRET_KEY: set the one of the installation (%w)", err)
	case err == nil && len(all) == 0:
		err = fmt.Errorf("%s has no restore points", c.Store)
	case err == nil:
		_, err = io.WriteString(stdout, environment(all[0], len(all)))
	}
	return errors.Join(err, db.Close())
}

// environment are the variables of restic, as commands of a shell.
func environment(r store.Repository, targets int) string {
	var text strings.Builder
	fmt.Fprintf(&text, "# %s", strings.Join(strings.Fields(r.Target.Name), " "))
	if targets > 1 {
		fmt.Fprintf(&text, ", the newest of %d targets with points of this store", targets)
	}
	text.WriteString("\n")
	for _, v := range []struct{ name, value string }{
		{"RESTIC_REPOSITORY", r.URL()}, {"RESTIC_PASSWORD", r.Password},
		{"AWS_ACCESS_KEY_ID", r.Target.KeyID}, {"AWS_SECRET_ACCESS_KEY", r.Target.Secret}, {"AWS_DEFAULT_REGION", r.Target.Region},
	} {
		if v.value != "" {
			fmt.Fprintf(&text, "export %s='%s'\n", v.name, strings.ReplaceAll(v.value, "'", `'\''`))
		}
	}
	if r.Target.CA != "" {
		text.WriteString("# The service has a CA of its own: save its certificate and name the file in RESTIC_CACERT.\n")
	}
	return text.String()
}
