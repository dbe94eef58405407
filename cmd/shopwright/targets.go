package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"shopwright.dev/shopwright/cmd/shopwright/client"
	"shopwright.dev/shopwright/handlers/api/v1"
)

// targetsCmd are the commands about backup targets.
type targetsCmd struct {
	List   targetsListCmd   `cmd:"" help:"List the backup targets."`
	Add    targetsAddCmd    `cmd:"" help:"Add a backup target. The secret access key is read from SHOPWRIGHT_TARGET_SECRET, or prompted for."`
	Change targetsChangeCmd `cmd:"" help:"Change a backup target. What isn’t named stays. With --key-id, the secret access key is read as by add."`
	Delete targetsDeleteCmd `cmd:"" help:"Delete a backup target that holds no restore points."`
	Test   targetsTestCmd   `cmd:"" help:"Write, list, read and delete an object in a backup target."`
}

// targetSecret is the variable with the secret access key, which is no argument: others on the machine see those.
const targetSecret = "SHOPWRIGHT_TARGET_SECRET"

type targetsListCmd struct {
	remote `embed:""`
	output `embed:""`
}

// Run implements the subcommand.
func (c *targetsListCmd) Run(ctx context.Context, at console) error {
	to, err := c.client()
	if err != nil {
		return err
	}
	targets, err := to.Targets(ctx)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, t := range targets {
		rows = append(rows, []string{t.ID, t.Name, yes(t.InUse), targetAddress(t), t.KeyID})
	}
	return c.show(at.out, targets, []string{"ID", "NAME", "IN USE", "ADDRESS", "ACCESS KEY"}, rows)
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

func targetAddress(t v1.Target) string {
	return strings.TrimSuffix(t.Endpoint+"/"+t.Bucket+"/"+t.Prefix, "/")
}

func targetRows(t v1.Target) [][]string {
	return [][]string{{"name", t.Name}, {"id", t.ID}, {"address", targetAddress(t)}, {"access key", t.KeyID}, {"in use", yes(t.InUse)}}
}

type targetsAddCmd struct {
	remote    `embed:""`
	output    `embed:""`
	Name      string `arg:"" help:"Name of the target, shown on the stores’ pages."`
	Endpoint  string `required:"" placeholder:"URL" help:"URL of the S3 service, such as https://s3.eu-central-1.amazonaws.com."`
	Bucket    string `required:"" help:"Bucket; it must exist."`
	Prefix    string `help:"Folder in the bucket."`
	Region    string `help:"Region; empty if the service has none."`
	PathStyle bool   `help:"The bucket is in the path of the URL, not in the host name."`
	CA        string `name:"ca" type:"existingfile" placeholder:"FILE" help:"CA certificate in PEM format, if the service’s certificate isn’t from a public authority."`
	KeyID     string `required:"" placeholder:"ID" help:"Access key ID. The key must be allowed to list the bucket and to read, write and delete its objects."`
	Use       bool   `default:"true" negatable:"" help:"Write new restore points to this target, instead of the one in use."`
}

// Run implements the subcommand.
func (c *targetsAddCmd) Run(ctx context.Context, at console) error {
	to, err := c.client()
	if err != nil {
		return err
	}
	wanted := v1.NewTarget{Secret: os.Getenv(targetSecret), TargetSettings: v1.TargetSettings{
		Name: c.Name, Endpoint: c.Endpoint, Bucket: c.Bucket, Prefix: c.Prefix, Region: c.Region, PathStyle: c.PathStyle, KeyID: c.KeyID, InUse: c.Use,
	}}
	if wanted.CA, err = readCA(c.CA); err != nil {
		return err
	}
	if wanted.Secret == "" {
		if wanted.Secret, err = askSecret(at); err != nil {
			return err
		}
	}
	target, err := to.AddTarget(ctx, wanted)
	if err != nil {
		return err
	}
	return c.show(at.out, target, nil, targetRows(target))
}

func askSecret(at console) (string, error) {
	secret, err := at.ask("Secret access key", true)
	if err != nil {
		return "", fmt.Errorf("%w: set %s", err, targetSecret)
	}
	return secret, nil
}

// readCA is what the file says, and nothing for no file.
func readCA(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	return string(text), err
}

// targetCmd is what all commands about one backup target have.
type targetCmd struct {
	remote `embed:""`
	Target string `arg:"" help:"Name or ID of the target; shopwright targets list shows both."`
}

// open returns whom to ask, and the target.
func (c *targetCmd) open(ctx context.Context) (*client.Client, v1.Target, error) {
	to, err := c.client()
	if err != nil {
		return nil, v1.Target{}, err
	}
	targets, err := to.Targets(ctx)
	if err != nil {
		return nil, v1.Target{}, err
	}
	for _, t := range targets {
		if t.ID == c.Target || t.Name == c.Target {
			return to, t, nil
		}
	}
	return nil, v1.Target{}, notFound{fmt.Sprintf("backup target %q not found: list them with shopwright targets list", c.Target)}
}

type targetsChangeCmd struct {
	targetCmd `embed:""`
	output    `embed:""`
	Name      *string `help:"New name."`
	Endpoint  *string `placeholder:"URL" help:"URL of the S3 service. Like bucket and prefix, it can’t be changed once the target has restore points."`
	Bucket    *string `help:"Bucket; it must exist."`
	Prefix    *string `help:"Folder in the bucket."`
	Region    *string `help:"Region; empty if the service has none."`
	PathStyle *bool   `negatable:"" help:"The bucket is in the path of the URL, not in the host name."`
	CA        *string `name:"ca" placeholder:"FILE" help:"CA certificate in PEM format; empty for the public authorities."`
	KeyID     *string `placeholder:"ID" help:"Access key ID."`
	Use       *bool   `negatable:"" help:"Write new restore points to this target, instead of the one in use."`
}

// Run implements the subcommand.
func (c *targetsChangeCmd) Run(ctx context.Context, at console) error {
	to, target, err := c.open(ctx)
	if err != nil {
		return err
	}
	wanted := v1.ChangedTarget{Secret: os.Getenv(targetSecret), TargetSettings: target.TargetSettings}
	if c.CA != nil {
		if wanted.CA, err = readCA(*c.CA); err != nil {
			return err
		}
	}
	if c.KeyID != nil && wanted.Secret == "" { // the present one is of another key
		if wanted.Secret, err = askSecret(at); err != nil {
			return err
		}
	}
	replace(&wanted.Name, c.Name)
	replace(&wanted.Endpoint, c.Endpoint)
	replace(&wanted.Bucket, c.Bucket)
	replace(&wanted.Prefix, c.Prefix)
	replace(&wanted.Region, c.Region)
	replace(&wanted.PathStyle, c.PathStyle)
	replace(&wanted.KeyID, c.KeyID)
	replace(&wanted.InUse, c.Use)
	if target, err = to.ChangeTarget(ctx, target.ID, wanted); err != nil {
		return err
	}
	return c.show(at.out, target, nil, targetRows(target))
}

// replace sets the value if another was named.
func replace[T any](value *T, named *T) {
	if named != nil {
		*value = *named
	}
}

type targetsDeleteCmd struct {
	targetCmd `embed:""`
}

// Run implements the subcommand.
func (c *targetsDeleteCmd) Run(ctx context.Context, at console) error {
	to, target, err := c.open(ctx)
	if err != nil {
		return err
	}
	if err := to.DeleteTarget(ctx, target.ID); err != nil {
		return err
	}
	at.say("Deleted.")
	return nil
}

type targetsTestCmd struct {
	targetCmd `embed:""`
	output    `embed:""`
}

// Run implements the subcommand.
func (c *targetsTestCmd) Run(ctx context.Context, at console) error {
	to, target, err := c.open(ctx)
	if err != nil {
		return err
	}
	test, err := to.TestTarget(ctx, target.ID)
	if err != nil {
		return err
	}
	if c.Output != "table" {
		err = c.show(at.out, test, nil, nil)
	} else if test.OK {
		_, err = fmt.Fprintln(at.out, test.Message)
	}
	if !test.OK {
		err = errors.Join(err, errors.New(test.Message))
	}
	return err
}
