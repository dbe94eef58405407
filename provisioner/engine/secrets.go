package engine

import "strings"

// Secrets are the values among a store's credentials that nobody may read in a log: all but
// user names and addresses.
func Secrets(credentials map[string][]byte) (secrets []string) {
	for key, value := range credentials {
		if !strings.HasSuffix(key, "-username") && !strings.HasSuffix(key, "-email") {
			secrets = append(secrets, string(value))
		}
	}
	return secrets
}
