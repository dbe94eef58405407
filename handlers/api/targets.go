package api

import (
	"context"
	"net/http"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/store"
)

func (a *API) registerTargets() {
	register(a, operation{
		id: "list-targets", method: http.MethodGet, path: "/targets", tag: tagInstallation, scope: store.Administer, summary: "List the backup targets",
	}, a.listTargets)
	register(a, operation{
		id: "create-target", method: http.MethodPost, path: "/targets", tag: tagInstallation, scope: store.Administer, status: http.StatusCreated,
		summary: "Add a backup target", description: "The secret access key is kept encrypted and never returned.",
	}, a.createTarget)
	register(a, operation{
		id: "show-target", method: http.MethodGet, path: "/targets/{target}", tag: tagInstallation, scope: store.Administer, summary: "Show a backup target",
	}, a.showTarget)
	register(a, operation{
		id: "change-target", method: http.MethodPut, path: "/targets/{target}", tag: tagInstallation, scope: store.Administer,
		summary: "Change a backup target", description: "Replaces all settings; without a secret, the present one stays. The endpoint, bucket and prefix of a target with restore points can’t be changed.",
	}, a.changeTarget)
	register(a, operation{
		id: "delete-target", method: http.MethodDelete, path: "/targets/{target}", tag: tagInstallation, scope: store.Administer, status: http.StatusNoContent,
		summary: "Delete a backup target", description: "What is in the bucket stays. A target with restore points can’t be deleted.",
	}, a.deleteTarget)
	register(a, operation{
		id: "test-target", method: http.MethodPost, path: "/targets/{target}/test", tag: tagInstallation, scope: store.Administer,
		summary: "Test a backup target", description: "Writes, lists, reads and deletes an object from the server. The response is 200 even if that fails: see ok.",
	}, a.testTarget)
}

type targetsOutput struct {
	Body struct {
		Targets []v1.Target `json:"targets" nullable:"false"`
	}
}

func (a *API) listTargets(ctx context.Context, _ *struct{}) (*targetsOutput, error) {
	targets, err := a.DB.Targets(ctx, actorOf(ctx))
	out := &targetsOutput{}
	out.Body.Targets = []v1.Target{}
	for _, t := range targets {
		out.Body.Targets = append(out.Body.Targets, targetOf(t))
	}
	return out, err
}

func targetOf(t store.Target) v1.Target {
	return v1.Target{
		ID: t.ID, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
		TargetSettings: v1.TargetSettings{
			Name: word(t.Name), Endpoint: t.Endpoint, Bucket: t.Bucket, Prefix: t.Prefix, Region: t.Region, PathStyle: t.PathStyle, CA: t.CA, KeyID: t.KeyID, InUse: t.InUse,
		},
	}
}

// wantedTarget is the target that a request describes. It has no id if it is a new one.
func wantedTarget(id string, s v1.TargetSettings, secret string) store.Target {
	return store.Target{
		ID: id, Name: word(s.Name), Endpoint: s.Endpoint, Bucket: s.Bucket, Prefix: s.Prefix, Region: s.Region, PathStyle: s.PathStyle, CA: s.CA,
		KeyID: s.KeyID, Secret: secret, InUse: s.InUse,
	}
}

type newTargetInput struct {
	Body v1.NewTarget
}

type createdTarget struct {
	Location string `header:"Location" doc:"URL of the target."`
	Body     v1.Target
}

func (a *API) createTarget(ctx context.Context, in *newTargetInput) (*createdTarget, error) {
	t, err := a.DB.AddTarget(ctx, actorOf(ctx), wantedTarget("", in.Body.TargetSettings, in.Body.Secret))
	if err != nil {
		return nil, err
	}
	return &createdTarget{Location: v1.Prefix + "/targets/" + t.ID, Body: targetOf(t)}, nil
}

// TargetInput names a backup target in the address.
type TargetInput struct {
	Target string `path:"target" doc:"The target’s ID."`
}

type targetOutput struct {
	Body v1.Target
}

func (a *API) showTarget(ctx context.Context, in *TargetInput) (*targetOutput, error) {
	t, err := a.DB.Target(ctx, actorOf(ctx), in.Target)
	if err != nil {
		return nil, err
	}
	return &targetOutput{Body: targetOf(t)}, nil
}

type changeTargetInput struct {
	TargetInput
	Body v1.ChangedTarget
}

func (a *API) changeTarget(ctx context.Context, in *changeTargetInput) (*targetOutput, error) {
	t, err := a.DB.SaveTarget(ctx, actorOf(ctx), wantedTarget(in.Target, in.Body.TargetSettings, in.Body.Secret))
	if err != nil {
		return nil, err
	}
	return &targetOutput{Body: targetOf(t)}, nil
}

func (a *API) deleteTarget(ctx context.Context, in *TargetInput) (*struct{}, error) {
	return nil, a.DB.DeleteTarget(ctx, actorOf(ctx), in.Target)
}

type targetTestOutput struct {
	Body v1.TargetTest
}

func (a *API) testTarget(ctx context.Context, in *TargetInput) (*targetTestOutput, error) {
	test, err := a.Shops.TestTarget(ctx, actorOf(ctx), in.Target)
	if err != nil {
		return nil, err
	}
	if test.Err != nil {
		a.Log.Warn("the test of a backup target failed", "target", test.Target, "error", test.Err)
	}
	return &targetTestOutput{Body: v1.TargetTest{
		OK: test.OK, Message: test.Text, Versioning: test.Protection.Versioning, ObjectLock: test.Protection.ObjectLock, Unknown: test.Protection.Unknown,
	}}, nil
}
