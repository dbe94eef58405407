// Package recovery backs up the platform's own records, and brings them back where everything else was lost. What it
// writes is encrypted for a key whose other half the installation doesn't have.
package recovery

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"filippo.io/age" // encrypts for a key that is shown once
)

// NewKey returns a new recovery key: the half that opens, to be shown once, and the one to encrypt for.
func NewKey() (identity, recipient string, err error) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return "", "", fmt.Errorf("make a recovery key: %w", err)
	}
	return key.String(), key.Recipient().String(), nil
}

// Secrets are what the records are useless without.
type Secrets struct {
	Key string `json:"secret_key"` // SHOPWRIGHT_SECRET_KEY
}

// seal writes an archive: the secrets in the first line, then what records writes, compressed and encrypted.
func seal(recipient string, secrets Secrets, records func(io.Writer) error) (*bytes.Buffer, error) {
	to, err := age.ParseX25519Recipient(recipient)
	if err != nil {
		return nil, fmt.Errorf("read the recovery key: %w", err)
	}
	var sealed bytes.Buffer
	encrypted, err := age.Encrypt(&sealed, to)
	if err != nil {
		return nil, fmt.Errorf("encrypt the database: %w", err)
	}
	compressed := gzip.NewWriter(encrypted)
	if err := errors.Join(json.NewEncoder(compressed).Encode(secrets), records(compressed), compressed.Close(), encrypted.Close()); err != nil {
		return nil, fmt.Errorf("write the database: %w", err)
	}
	return &sealed, nil
}

// ErrOtherKey says that the archive was encrypted for another recovery key.
var ErrOtherKey = errors.New("the backup was encrypted for another recovery key")

// ErrNoKey says that a text is no recovery key.
var ErrNoKey = errors.New("that isn’t a recovery key: recovery keys begin with AGE-SECRET-KEY-1")

// Unseal opens an archive with the recovery key, and returns the secrets and what can be loaded.
func Unseal(identity string, archive io.Reader) (Secrets, io.Reader, error) {
	key, err := age.ParseX25519Identity(identity)
	if err != nil {
		return Secrets{}, nil, ErrNoKey
	}
	decrypted, err := age.Decrypt(archive, key)
	if errors.As(err, new(*age.NoIdentityMatchError)) {
		return Secrets{}, nil, ErrOtherKey
	}
	if err != nil {
		return Secrets{}, nil, fmt.Errorf("decrypt the backup: %w", err)
	}
	plain, err := gzip.NewReader(decrypted)
	if err != nil {
		return Secrets{}, nil, fmt.Errorf("read the backup: %w", err)
	}
	var secrets Secrets
	lines := json.NewDecoder(plain)
	if err := lines.Decode(&secrets); err != nil {
		return Secrets{}, nil, fmt.Errorf("read the backup: %w", err)
	}
	return secrets, io.MultiReader(lines.Buffered(), plain), nil
}
