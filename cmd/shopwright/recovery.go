package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"shopwright.dev/shopwright/provisioner/recovery"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
)

// recoveryKey is the variable with the recovery key, which is no argument: others on the machine see those.
const recoveryKey = "SHOPWRIGHT_RECOVERY_KEY"

// recoveryKeyCmd makes the recovery key, also while Shopwright runs. It needs no permission, like loginLinkCmd.
type recoveryKeyCmd struct {
	config  `embed:""`
	Replace bool `help:"Make another key in place of the present one. Earlier backups of the database open with the earlier key only."`
}

// Run implements the subcommand.
func (c *recoveryKeyCmd) Run(ctx context.Context, at console) error {
	if err := c.validate(); err != nil {
		return err
	}
	db, err := c.openBeside(ctx)
	if err != nil {
		return err
	}
	return errors.Join(c.make(ctx, db, at), db.Close())
}

func (c *recoveryKeyCmd) make(ctx context.Context, db *database.DB, at console) error {
	present, err := db.UnguardedRecovery(ctx)
	if err != nil {
		return err
	}
	if present.Recipient != "" && !c.Replace {
		return usageError{fmt.Errorf("there is a recovery key since %s: add --replace to make another one", present.MadeAt.Format(time.DateOnly))}
	}
	identity, recipient, err := recovery.NewKey()
	if err != nil {
		return err
	}
	if err := db.UnguardedSetRecoveryKey(ctx, recipient); err != nil {
		return err
	}
	at.say("Keep this key somewhere else. It is shown only now, and nothing can replace it:")
	_, err = fmt.Fprintln(at.out, identity)
	return err
}

// restoreCmd brings the records of a lost installation back, into an empty database.
type restoreCmd struct {
	config    `embed:""`
	Endpoint  string    `placeholder:"URL" help:"URL of the S3 service of the backup target."`
	Bucket    string    `help:"Bucket of the backup target."`
	Prefix    string    `help:"Folder in the bucket."`
	Region    string    `help:"Region; empty if the service has none."`
	PathStyle bool      `help:"The bucket is in the path of the URL, not in the host name."`
	CA        string    `name:"ca" type:"existingfile" placeholder:"FILE" help:"CA certificate in PEM format, if the service’s certificate isn’t from a public authority."`
	KeyID     string    `placeholder:"ID" help:"Access key ID. The secret access key is read from SHOPWRIGHT_TARGET_SECRET, or prompted for."`
	File      string    `type:"existingfile" help:"A backup that was downloaded, instead of the target’s newest one."`
	Before    time.Time `placeholder:"TIME" help:"Take the newest backup that isn’t younger, such as 2026-11-30T14:00:00Z."`

	NewCluster bool `help:"The cluster is lost, too: bring its stores back from their restore points in the empty one that is configured now."`
	IfEmpty    bool `help:"Do nothing if the database already has data, such as when a pod starts again."`
}

// Run implements the subcommand.
func (c *restoreCmd) Run(ctx context.Context, at console) error {
	if err := c.validate(); err != nil {
		return err
	}
	if c.IfEmpty {
		switch empty, err := database.IsEmpty(ctx, c.databaseURL()); {
		case err != nil:
			return err
		case !empty:
			at.say("The database already has data. Nothing is restored.")
			return nil
		}
	}
	err := c.restore(ctx, at)
	if c.IfEmpty && errors.Is(err, database.ErrHasData) { // another process was faster
		at.say("The database has been restored meanwhile.")
		return nil
	}
	return err
}

func (c *restoreCmd) restore(ctx context.Context, at console) error {
	identity, err := askRecoveryKey(at)
	if err != nil {
		return err
	}
	archive, made, err := c.open(ctx, at, identity)
	if errors.Is(err, recovery.ErrNoKey) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	defer func() { _ = archive.Close() }()
	secrets, records, err := recovery.Unseal(identity, archive)
	if err != nil {
		return usageError{err}
	}
	rows, err := c.load(ctx, secrets, records)
	if err != nil {
		return err
	}
	at.say("Restored %d rows from %s. Start Shopwright with the same settings as before.", rows, made)
	if !c.NewCluster {
		return nil
	}
	return c.bringBack(ctx, at)
}

// bringBack has the stores of a lost cluster rebuilt as soon as Shopwright runs, which does this itself if this process
// is killed before.
func (c *restoreCmd) bringBack(ctx context.Context, at console) error {
	db, err := c.openBeside(ctx)
	if err != nil {
		return err
	}
	back, lost, err := db.UnguardedReplaceClusters(ctx)
	if err == nil {
		at.say("Stores that will be rebuilt from their restore points: %d; without a restore point: %d. Administration, Clusters, Recovery shows their progress.", back, lost)
	}
	return errors.Join(err, db.Close())
}

func askRecoveryKey(at console) (identity string, err error) {
	if identity = os.Getenv(recoveryKey); identity == "" {
		if identity, err = at.ask("Recovery key", true); err != nil {
			return "", fmt.Errorf("%w: set %s", err, recoveryKey)
		}
	}
	return strings.TrimSpace(identity), nil
}

// open opens the backup, and says of when it is.
func (c *restoreCmd) open(ctx context.Context, at console, identity string) (archive io.ReadCloser, made string, err error) {
	if c.File != "" {
		archive, err = os.Open(c.File)
		return archive, c.File, err
	}
	if c.Endpoint == "" || c.Bucket == "" || c.KeyID == "" {
		return nil, "", usageError{errors.New("name the backup target with --endpoint, --bucket and --key-id, or a backup with --file")}
	}
	target := store.Target{
		Name: "restore", Endpoint: c.Endpoint, Bucket: c.Bucket, Prefix: c.Prefix, Region: c.Region, PathStyle: c.PathStyle, KeyID: c.KeyID, Secret: os.Getenv(targetSecret),
	}
	if target.CA, err = readCA(c.CA); err != nil {
		return nil, "", err
	}
	if target.Secret == "" {
		if target.Secret, err = askSecret(at); err != nil {
			return nil, "", err
		}
	}
	if target, err = target.Validate(); err != nil {
		return nil, "", usageError{err}
	}
	archive, from, err := recovery.Fetch(ctx, target, identity, c.Before)
	return archive, from.Format(time.DateTime) + " UTC", err
}

// load loads the records, which the secret key of the lost installation belongs to. If another one is set, that one
// seals their secrets from now on.
func (c *restoreCmd) load(ctx context.Context, secrets recovery.Secrets, records io.Reader) (rows int64, err error) {
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return 0, fmt.Errorf("make the data directory: %w", err)
	}
	as := database.Loading{NewCluster: c.NewCluster}
	if c.SecretKey != "" {
		if as.Sealer, err = store.NewSealer(append(decodeKeys(c.SecretKey), decodeKeys(secrets.Key)...)); err != nil {
			return 0, err
		}
		return database.Load(ctx, c.databaseURL(), records, as)
	}
	forget, err := c.keepKey(secrets.Key)
	if err != nil {
		return 0, err
	}
	if rows, err = database.Load(ctx, c.databaseURL(), records, as); err != nil {
		return 0, errors.Join(err, forget())
	}
	return rows, nil
}

// keepKey makes the secret key that of the data directory. forget takes that back.
func (c *restoreCmd) keepKey(key string) (forget func() error, err error) {
	nothing := func() error { return nil }
	path := filepath.Join(c.DataDir, keyFile)
	present, err := os.ReadFile(path)
	switch {
	case err == nil && strings.TrimSpace(string(present)) == key:
		return nothing, nil
	case err == nil:
		return nil, usageError{fmt.Errorf("%s has another secret key: set SHOPWRIGHT_DATA_DIR to an empty directory", path)}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read the secret key: %w", err)
	}
	if err := writeSecret(path, []byte(key+"\n")); err != nil {
		return nil, fmt.Errorf("keep the secret key: %w", err)
	}
	return func() error { return os.Remove(path) }, nil
}

// secretKeyText is the secret key as SHOPWRIGHT_SECRET_KEY has it.
func secretKeyText(keys [][]byte) string {
	parts := make([]string, len(keys))
	for i, key := range keys {
		parts[i] = base64.StdEncoding.EncodeToString(key)
	}
	return strings.Join(parts, ",")
}
