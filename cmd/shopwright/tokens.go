package main

import (
	"context"
	"strings"
	"time"
)

// tokensCmd has the commands about tokens.
type tokensCmd struct {
	List   tokensListCmd   `cmd:"" help:"List your tokens."`
	Revoke tokensRevokeCmd `cmd:"" help:"Revoke a token."`
}

type tokensListCmd struct {
	remote `embed:""`
	output `embed:""`
}

// Run implements the subcommand.
func (c *tokensListCmd) Run(ctx context.Context, at console) error {
	to, err := c.client()
	if err != nil {
		return err
	}
	tokens, err := to.Tokens(ctx)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, k := range tokens {
		used := "never"
		if k.UsedAt != nil {
			used = ago(*k.UsedAt) + " ago"
		}
		var scopes []string
		for _, s := range k.Scopes {
			scopes = append(scopes, string(s))
		}
		rows = append(rows, []string{k.ID, k.Name, k.ExpiresAt.Local().Format(time.DateOnly), used, strings.Join(scopes, ",")})
	}
	return c.show(at.out, tokens, []string{"ID", "NAME", "EXPIRES", "USED", "SCOPES"}, rows)
}

type tokensRevokeCmd struct {
	remote `embed:""`
	ID     string `arg:"" help:"ID of the token; shopwright tokens list shows it."`
}

// Run implements the subcommand.
func (c *tokensRevokeCmd) Run(ctx context.Context, at console) error {
	to, err := c.client()
	if err != nil {
		return err
	}
	if err := to.RevokeToken(ctx, c.ID); err != nil {
		return err
	}
	at.say("Revoked.")
	return nil
}
