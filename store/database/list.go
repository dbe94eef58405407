package database

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"shopwright.dev/shopwright/store"
)

func orderBy(s store.Sort) string {
	switch s {
	case store.Oldest:
		return "stores.created_at, stores.id"
	case store.ByName:
		return "LOWER(stores.name), stores.id"
	default:
		return "stores.created_at DESC, stores.id DESC"
	}
}

// behind is the condition that a store comes after the one whose id is that argument, whether
// that one still lives or not.
func behind(s store.Sort, argument int) string {
	columns, order := "created_at, id", "<"
	switch s {
	case store.Oldest:
		order = ">"
	case store.ByName:
		columns, order = "LOWER(name), id", ">"
	}
	return fmt.Sprintf("(%s) %s (SELECT %s FROM stores WHERE id = $%d)", columns, order, columns, argument)
}

// ListStores returns the living stores that the actor may see and the query selects.
func (db *DB) ListStores(ctx context.Context, actor store.Actor, q store.Query) (store.List, error) {
	if err := db.checkAfter(ctx, actor, q.After); err != nil {
		return store.List{}, err
	}
	counts, err := db.countStores(ctx, actor, q)
	if err != nil {
		return store.List{}, err
	}
	list := store.List{Counts: counts}
	list.Total = list.All()
	if q.Status != "" {
		list.Total = counts[q.Status]
	}
	query, args := pageOf(actor, q)
	rows, err := db.read.QueryContext(ctx, query, args...)
	if list.Stores, err = collect(rows, err, scanStore); err != nil {
		return store.List{}, fmt.Errorf("list stores: %w", err)
	}
	return list, nil
}

// checkAfter refuses stores of others, whose place in the list would tell of them.
func (db *DB) checkAfter(ctx context.Context, actor store.Actor, id string) error {
	if id == "" {
		return nil
	}
	in, args := inList("team_id", actor.Teams(store.ViewStores), 2)
	var there bool
	err := db.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM stores WHERE id = $1 AND purpose = 'shop' AND `+in+`)`, append([]any{id}, args...)...).Scan(&there)
	if err != nil {
		return fmt.Errorf("find where a page begins: %w", err)
	}
	if !there {
		return store.Invalidf("after", "Invalid cursor. Start with the first page.")
	}
	return nil
}

// CountStores returns how many living stores the actor may see.
func (db *DB) CountStores(ctx context.Context, actor store.Actor) (int, error) {
	counts, err := db.countStores(ctx, actor, store.Query{})
	return store.List{Counts: counts}.All(), err
}

func (db *DB) countStores(ctx context.Context, actor store.Actor, q store.Query) (map[store.Status]int, error) {
	query, args := countOf(actor, q)
	rows, err := db.read.QueryContext(ctx, query, args...)
	counts := map[store.Status]int{}
	_, err = collect(rows, err, func(row scanner) (store.Status, error) {
		var (
			status store.Status
			n      int
		)
		err := row.Scan(&status, &n)
		counts[status] = n
		return status, err
	})
	if err != nil {
		return nil, fmt.Errorf("count stores by status: %w", err)
	}
	return counts, nil
}

// countOf is the statement that counts by status.
func countOf(actor store.Actor, q store.Query) (string, []any) {
	where, args := selectedStores(actor, q)
	return `SELECT status, COUNT(*) FROM stores WHERE ` + where + ` GROUP BY status`, args
}

// pageOf is the statement that reads one page. It sorts ids, which an index holds, and reads
// only the rows that are shown.
func pageOf(actor store.Actor, q store.Query) (string, []any) {
	where, args := selectedStores(actor, q)
	if q.Status != "" {
		args = append(args, q.Status)
		where += " AND status = $" + strconv.Itoa(len(args))
	}
	if q.After != "" {
		args = append(args, q.After)
		where += " AND " + behind(q.Sort, len(args))
	}
	args = append(args, q.Limit, q.Offset)
	ids := fmt.Sprintf(`SELECT id FROM stores WHERE %s ORDER BY %s LIMIT $%d OFFSET $%d`, where, orderBy(q.Sort), len(args)-1, len(args))
	return `SELECT ` + storeFields + ` FROM ` + storeTables + ` WHERE stores.id IN (` + ids + `) ORDER BY ` + orderBy(q.Sort), args
}

// selectedStores is the condition that the query selects a store which the actor may see.
func selectedStores(actor store.Actor, q store.Query) (string, []any) {
	in, args := inList("team_id", actor.Teams(store.ViewStores), 1)
	where := "deleted_at = 0 AND purpose = 'shop' AND " + in
	if q.Search != "" {
		args = append(args, contains(q.Search))
		where += fmt.Sprintf(` AND search LIKE $%d ESCAPE '!'`, len(args))
	}
	if q.Engine != "" {
		args = append(args, q.Engine)
		where += fmt.Sprintf(" AND engine = $%d", len(args))
	}
	if q.TeamID != "" {
		args = append(args, q.TeamID)
		where += fmt.Sprintf(" AND team_id = $%d", len(args))
	}
	return where, args
}

// UnguardedStoresInCluster returns the ids of the cluster's stores that are not archived, of all
// teams.
func (db *DB) UnguardedStoresInCluster(ctx context.Context, clusterID string) ([]string, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT id FROM stores WHERE cluster_id = $1 AND deleted_at = 0`, clusterID)
	ids, err := collect(rows, err, func(row scanner) (id string, err error) { return id, row.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("read which stores a cluster has: %w", err)
	}
	return ids, nil
}

var likeEscaper = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

// UnguardedPlaces returns where the cluster's stores are that are meant to be there, of all teams.
func (db *DB) UnguardedPlaces(ctx context.Context, clusterID string) ([]store.Place, error) {
	rows, err := db.read.QueryContext(ctx, `
		SELECT id, namespace, purpose = 'drill', status IN ('ready', 'degraded'), volumes FROM stores
		WHERE cluster_id = $1 AND desired = 'present' AND deleted_at = 0`, clusterID)
	places, err := collect(rows, err, func(row scanner) (p store.Place, err error) {
		return p, row.Scan(&p.StoreID, &p.Namespace, &p.Drill, &p.Ready, document{&p.Volumes})
	})
	if err != nil {
		return nil, fmt.Errorf("read where stores are: %w", err)
	}
	return places, nil
}
