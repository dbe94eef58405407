package simulate

import (
	"context"
	_ "embed"
	"fmt"

	"shopwright.dev/shopwright/deploy/devcluster/internal/api"
)

//go:embed logs.yaml
var logs []byte

// LogsKind is the kind of objects that give a pod of their own name another log. kwok must be told to read it.
const LogsKind = "Logs"

// InstallLogs makes the kind known. kwok looks for it when it starts.
func InstallLogs(ctx context.Context, c *api.Client) error {
	const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/logs.kwok.x-k8s.io"
	if err := c.Apply(ctx, path, logs); err != nil {
		return fmt.Errorf("install the kind of logs: %w", err)
	}
	return nil
}

// LogsServed is an error until the API server knows the kind.
func LogsServed(ctx context.Context, c *api.Client) error {
	return c.Get(ctx, "/apis/kwok.x-k8s.io/v1alpha1/logs", nil)
}
