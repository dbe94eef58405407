package kube

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// storeRole is the ClusterRole of the platform's chart that says what the platform may do
// in the namespace of a store.
const storeRole = "shopwright-store"

// Account is who we are in a cluster.
type Account struct {
	Username string
	// Everywhere tells that the account may do in every namespace what a store needs, as an
	// administrator may.
	Everywhere bool
}

// Account asks the cluster who we are and how far we may go.
func (c *Client) Account(ctx context.Context) (Account, error) {
	review, err := c.set.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return Account{}, fmt.Errorf("ask who we are: %w", err)
	}
	access, err := c.set.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "create", Version: "v1", Resource: "secrets"},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return Account{}, fmt.Errorf("ask what we may do: %w", err)
	}
	return Account{Username: review.Status.UserInfo.Username, Everywhere: access.Status.Allowed}, nil
}

// BindRole gives the account the rights in the store's namespace that it has nowhere else.
// They are in force a moment later: until then what they allow is forbidden. It reports
// whether they were lacking: an account that has them everywhere needs no binding.
func (c *Client) BindRole(ctx context.Context, owner Owner, account Account) (lacking bool, err error) {
	if account.Everywhere {
		return false, nil
	}
	_, err = c.set.RbacV1().RoleBindings(owner.Namespace).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: owner.meta(account.binding()),
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: storeRole},
		Subjects:   []rbacv1.Subject{account.subject()},
	}, metav1.CreateOptions{})
	return err == nil, unlessThere(err, "create role binding in "+owner.Namespace)
}

// binding is the name of the account's role binding. Each account has one of its own, so that
// another account that works on the same stores later gets its rights beside the first.
func (a Account) binding() string {
	sum := sha256.Sum256([]byte(a.Username))
	return managedBy + "-" + hex.EncodeToString(sum[:6])
}

// subject is how a role binding names the account.
func (a Account) subject() rbacv1.Subject {
	if parts := strings.Split(a.Username, ":"); len(parts) == 4 && parts[0] == "system" && parts[1] == "serviceaccount" {
		return rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: parts[2], Name: parts[3]}
	}
	return rbacv1.Subject{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: a.Username}
}
