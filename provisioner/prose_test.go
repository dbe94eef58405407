package provisioner_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"shopwright.dev/shopwright/store/storetest"
)

// sentence is four words in a row, which neither a code nor the name of an object has.
var sentence = regexp.MustCompile(`\pL+ \pL+ \pL+ \pL+`)

// What is written by people, or said by the cluster, Helm, a container or a chart's own scripts, is kept
// as it was said.
var (
	saidInColumns = []string{"name", "object", "search", "who", "what", "label"}
	saidInFacts   = []string{"quote", "doing", "names", "name", "evidence", "helm_log", "last_words"}
)

// wantFacts fails the test when a row holds a sentence of ours. Those are made when they are shown, so that
// they can be mended and translated.
func wantFacts(t *testing.T, file string) {
	t.Helper()
	db := storetest.Beside(t, "sqlite:"+file)
	for _, column := range textColumns(t, db) {
		table, name, _ := strings.Cut(column, ".")
		if slices.Contains(saidInColumns, name) {
			continue
		}
		for _, text := range texts(t, db, `SELECT DISTINCT "`+name+`" FROM `+table+` WHERE "`+name+`" IS NOT NULL`) {
			if said := sentenceIn(text); said != "" {
				t.Errorf("%s holds the words %q", column, said)
			}
		}
	}
}

func textColumns(t *testing.T, db *sql.DB) []string {
	t.Helper()
	return texts(t, db, `
		SELECT m.name || '.' || c.name FROM sqlite_schema m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND c.type = 'TEXT'`)
}

func texts(t *testing.T, db *sql.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // it was only read from
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// sentenceIn finds one in a text, or in the values of its JSON.
func sentenceIn(text string) string {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		value = text
	}
	return sentenceOf(value)
}

func sentenceOf(value any) string {
	switch v := value.(type) {
	case string:
		if sentence.MatchString(v) {
			return v
		}
	case []any:
		for _, each := range v {
			if said := sentenceOf(each); said != "" {
				return said
			}
		}
	case map[string]any:
		for key, each := range v {
			if said := sentenceOf(each); said != "" && !slices.Contains(saidInFacts, key) {
				return key + ": " + said
			}
		}
	}
	return ""
}
