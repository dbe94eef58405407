package database

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"time"

	"shopwright.dev/shopwright/store"
)

const (
	tokenLetters  = 32 // base32 characters that are drawn
	mostTokens    = 50 // of one user that have not expired, and of one user that have
	tokenUseEvery = time.Minute
)

// CreateToken makes a token for the actor, who sees its secret now and never again. The
// *Error of a request that cannot be met names its field. A token makes no tokens.
func (db *DB) CreateToken(ctx context.Context, actor store.Actor, n store.NewToken) (store.Token, string, error) {
	name, err := actor.CheckToken(n)
	if err != nil {
		return store.Token{}, "", err
	}
	token := store.Token{ID: store.NewID(), UserID: actor.UserID, TeamID: n.TeamID, Name: name, Scopes: n.Scopes}
	secret := newTokenSecret()
	err = db.update(ctx, func(t tx) error {
		if err := t.checkTokens(ctx, actor.UserID); err != nil {
			return err
		}
		token.CreatedAt, token.ExpiresAt = fromMicros(t.now), fromMicros(t.now+n.Lifetime.Microseconds())
		_, err := t.ExecContext(ctx, `
			INSERT INTO api_tokens (id, user_id, team_id, name, token_hash, scopes, created_at, last_used_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)`,
			token.ID, token.UserID, token.TeamID, token.Name, hash(secret), joinScopes(n.Scopes), t.now, micros(token.ExpiresAt))
		if err != nil {
			return fmt.Errorf("make token: %w", err)
		}
		if err := t.QueryRowContext(ctx, `SELECT name FROM teams WHERE id = $1`, token.TeamID).Scan(&token.Team); err != nil {
			return fmt.Errorf("find team %s: %w", token.TeamID, err)
		}
		return t.append(ctx, token.Event(actor, store.TokenCreated, store.EventData{UserID: token.UserID, Scopes: n.Scopes}))
	})
	return token, secret, err
}

// checkTokens makes room for another token: expired ones do not count, and only the newest of
// them are kept.
func (t tx) checkTokens(ctx context.Context, userID string) error {
	if _, err := t.ExecContext(ctx, `UPDATE users SET name = name WHERE id = $1`, userID); err != nil {
		return fmt.Errorf("lock user %s: %w", userID, err)
	}
	_, err := t.ExecContext(ctx, `
		DELETE FROM api_tokens WHERE user_id = $1 AND expires_at <= $2 AND id NOT IN (
			SELECT id FROM api_tokens WHERE user_id = $1 AND expires_at <= $2 ORDER BY expires_at DESC LIMIT $3)`, userID, t.now, mostTokens)
	if err != nil {
		return fmt.Errorf("forget expired tokens: %w", err)
	}
	var n int
	if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM api_tokens WHERE user_id = $1 AND expires_at > $2`, userID, t.now).Scan(&n); err != nil {
		return fmt.Errorf("count tokens: %w", err)
	}
	if n >= mostTokens {
		return &store.Error{Code: store.Limited, Message: fmt.Sprintf("You have %d tokens, which is the limit. Revoke one first.", n)}
	}
	return nil
}

const tokenColumns = `k.id, k.user_id, k.team_id, t.name, k.name, k.scopes, k.created_at, k.last_used_at, k.expires_at`

func scanToken(row scanner, more ...any) (k store.Token, err error) {
	var (
		scopes                 string
		created, used, expires int64
	)
	err = row.Scan(append([]any{&k.ID, &k.UserID, &k.TeamID, &k.Team, &k.Name, &scopes, &created, &used, &expires}, more...)...)
	k.CreatedAt, k.LastUsedAt, k.ExpiresAt = fromMicros(created), fromMicros(used), fromMicros(expires)
	for _, s := range strings.Fields(scopes) {
		k.Scopes = append(k.Scopes, store.Scope(s))
	}
	return k, err
}

// Tokens returns the actor's own tokens, newest first, also those that have expired. Who
// comes with a token sees those of its team only.
func (db *DB) Tokens(ctx context.Context, actor store.Actor) ([]store.Token, error) {
	where, args := "k.user_id = $1", []any{actor.UserID}
	if actor.Token != "" {
		in, teams := inList("k.team_id", teamsOf(actor), 2)
		where, args = where+" AND "+in, append(args, teams...)
	}
	rows, err := db.read.QueryContext(ctx, `
		SELECT `+tokenColumns+` FROM api_tokens k JOIN teams t ON t.id = k.team_id
		WHERE `+where+` ORDER BY k.created_at DESC, k.id DESC`, args...)
	tokens, err := collect(rows, err, func(row scanner) (store.Token, error) { return scanToken(row) })
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	return tokens, nil
}

// teamsOf are the ids of all teams that the actor is in.
func teamsOf(a store.Actor) []string {
	ids := make([]string, 0, len(a.Roles))
	for id := range a.Roles {
		ids = append(ids, id)
	}
	return ids
}

// RevokeToken ends one of the actor's own tokens. Who comes with a token may end that one,
// and with the scope [WriteTeam] others of its team.
func (db *DB) RevokeToken(ctx context.Context, actor store.Actor, id string) error {
	return db.update(ctx, func(t tx) error {
		token, err := scanToken(t.QueryRowContext(ctx, `
			SELECT `+tokenColumns+` FROM api_tokens k JOIN teams t ON t.id = k.team_id WHERE k.id = $1 AND k.user_id = $2`, id, actor.UserID))
		if errors.Is(err, sql.ErrNoRows) || err == nil && actor.Token != "" && actor.Roles[token.TeamID] == "" {
			return store.NoSuch("token")
		}
		if err != nil {
			return fmt.Errorf("find token: %w", err)
		}
		if actor.Token != "" && actor.TokenID != token.ID && !slices.Contains(actor.Scopes, store.WriteTeam) {
			return &store.Error{Code: store.Forbidden, Message: "This token can revoke only itself. Revoke the other one on your account page."}
		}
		result, err := t.ExecContext(ctx, `DELETE FROM api_tokens WHERE id = $1`, id)
		if err := expectOne(result, err, "revoke token"); errors.Is(err, store.ErrStale) { // by another request
			return store.NoSuch("token")
		} else if err != nil {
			return err
		}
		return t.append(ctx, token.Event(actor, store.TokenRevoked, store.EventData{UserID: token.UserID}))
	})
}

// TokenActor returns who comes from that IP address with the token of that secret, and what
// is left of that user's rights. A token that is unknown, revoked or expired, or whose user
// is disabled or not in its team any more, is NotFound.
func (db *DB) TokenActor(ctx context.Context, secret, address string) (store.Bearer, error) {
	if !wellFormed(secret) {
		return store.Bearer{}, store.NoSuch("token")
	}
	now, err := db.clock(ctx, db.read)
	if err != nil {
		return store.Bearer{}, err
	}
	var (
		b    store.Bearer
		role store.Role
	)
	b.Token, err = scanToken(db.read.QueryRowContext(ctx, `
		SELECT `+tokenColumns+`, u.id, u.name, u.email, u.admin, m.role
		FROM api_tokens k
		JOIN teams t ON t.id = k.team_id
		JOIN users u ON u.id = k.user_id
		JOIN memberships m ON m.team_id = k.team_id AND m.user_id = k.user_id
		WHERE k.token_hash = $1 AND k.expires_at > $2 AND NOT u.disabled`, hash(secret), now),
		&b.User.ID, &b.User.Name, &b.User.Email, &b.User.Admin, &role)
	if errors.Is(err, sql.ErrNoRows) {
		return store.Bearer{}, store.NoSuch("token")
	}
	if err != nil {
		return store.Bearer{}, fmt.Errorf("find token: %w", err)
	}
	b.Actor = store.Actor{
		UserID: b.User.ID, Name: b.User.Name, Address: address, Admin: b.User.Admin, Roles: map[string]store.Role{b.Token.TeamID: role},
		Token: b.Token.Name, TokenID: b.Token.ID, Scopes: b.Token.Scopes,
	}
	return b, db.noteUse(ctx, b.Token, now)
}

// noteUse writes down that the token was used, unless that was done a moment ago. Records
// that can only be read do not keep anybody from reading them.
func (db *DB) noteUse(ctx context.Context, k store.Token, now int64) error {
	if now-micros(k.LastUsedAt) < tokenUseEvery.Microseconds() {
		return nil
	}
	err := db.update(ctx, func(t tx) error {
		_, err := t.ExecContext(ctx, `UPDATE api_tokens SET last_used_at = $2 WHERE id = $1 AND last_used_at < $2`, k.ID, t.now)
		return err
	})
	if err != nil && store.ErrorCode(err) != store.Unavailable {
		return fmt.Errorf("note the use of a token: %w", err)
	}
	return nil
}

func joinScopes(scopes []store.Scope) string {
	words := make([]string, len(scopes))
	for i, s := range scopes {
		words[i] = string(s)
	}
	return strings.Join(words, " ")
}

// newTokenSecret draws 160 bits and adds a sum of them, by which a scanner tells a token
// from other text, and we what was mistyped from what was revoked.
func newTokenSecret() string {
	var random [tokenLetters * 5 / 8]byte
	_, _ = rand.Read(random[:]) // never fails
	text := strings.ToLower(base32.StdEncoding.EncodeToString(random[:]))
	return store.TokenPrefix + text + tokenSum(text)
}

func tokenSum(text string) string {
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(text)))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum))
}

func wellFormed(secret string) bool {
	text, ours := strings.CutPrefix(secret, store.TokenPrefix)
	return ours && len(text) > tokenLetters && tokenSum(text[:tokenLetters]) == text[tokenLetters:]
}
