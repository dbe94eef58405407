package simulate

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"shopwright.dev/shopwright/deploy/devcluster/internal/api"
)

// Switches returns the switches of a namespace, which need not exist.
func Switches(ctx context.Context, c *api.Client, target string) (map[string]string, error) {
	return read(ctx, c, target)
}

// Set changes the switches of a namespace, which need not exist. When it returns, every pod made there from now on
// obeys them, and the pods that are there already have been told.
func Set(ctx context.Context, c *api.Client, target string, change Change) error {
	before, err := read(ctx, c, target)
	if err != nil {
		return err
	}
	revision, err := write(ctx, c, target, change.apply(before))
	if err != nil {
		return err
	}
	if err := waitInForce(ctx, c, target, revision); err != nil {
		return err
	}
	return tellLivingPods(ctx, c, target, change, revision)
}

// tellLivingPods touches each pod that the change is about, so that the policy stamps it anew.
func tellLivingPods(ctx context.Context, c *api.Client, target string, change Change, revision string) error {
	pods := "/api/v1/namespaces/" + target + "/pods"
	selector := url.Values{"fieldSelector": {"status.phase!=Succeeded,status.phase!=Failed"}}
	if change.Component != "" {
		selector.Set("labelSelector", "app.kubernetes.io/component="+change.Component)
	}
	var list struct {
		Items []object `json:"items"`
	}
	if err := c.Get(ctx, pods+"?"+selector.Encode(), &list); err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	for _, pod := range list.Items {
		if err := tell(ctx, c, pods+"/"+pod.Metadata.Name, change, revision); err != nil && !api.IsNotFound(err) {
			return fmt.Errorf("tell pod %s of its switches: %w", pod.Metadata.Name, err)
		}
	}
	return nil
}

func tell(ctx context.Context, c *api.Client, path string, change Change, revision string) error {
	touch, err := json.Marshal(object{Metadata: objectMeta{Annotations: map[string]string{revisionAnnotation: revision}}})
	if err != nil {
		return err
	}
	var pod object
	if err := c.MergePatch(ctx, path, touch, &pod); err != nil {
		return err
	}
	if _, changed := change.Switches["fail"]; changed && pod.needsSuccessor() {
		return c.Delete(ctx, path)
	}
	return nil
}

// needsSuccessor says that only another pod can show the failure: this one runs, so it has its image. A job's pod is
// left alone, for a job takes a pod that is deleted for one that failed.
func (o object) needsSuccessor() bool {
	owned := len(o.Metadata.OwnerReferences) > 0 && o.Metadata.OwnerReferences[0].Kind != "Job"
	return owned && o.Status.Phase == "Running" && o.Metadata.Annotations[failAnnotation] == string(ImagePull)
}
