package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Sealer encrypts the secrets that the database keeps. The first of its keys seals; all of them open,
// so that a secret key can be replaced.
type Sealer struct{ keys []cipher.AEAD }

// sealPurpose separates the keys from those that sign sessions: both come from the same secret key.
const sealPurpose = "shopwright sealed records 1"

// sealedPrefix is the version of the format.
const sealedPrefix = "1."

// ErrSealed says that none of the keys opens a sealed value: it was sealed with another secret key, or
// for another record.
var ErrSealed = errors.New("the value was sealed with another secret key")

// NewSealer returns a sealer with a key derived from each secret key.
func NewSealer(secrets [][]byte) (*Sealer, error) {
	if len(secrets) == 0 {
		return nil, errors.New("sealing needs a secret key")
	}
	s := &Sealer{}
	for _, secret := range secrets {
		key, err := hkdf.Key(sha256.New, secret, nil, sealPurpose, 32)
		if err != nil {
			return nil, fmt.Errorf("derive the sealing key: %w", err)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		s.keys = append(s.keys, aead)
	}
	return s, nil
}

// Seal encrypts a secret of the record. The sealed value opens for the same record only.
func (s *Sealer) Seal(record, secret string) string {
	sealed := s.keys[0].Seal(nil, nil, []byte(secret), []byte(record)) //nolint:gosec // the cipher draws a random nonce itself
	return sealedPrefix + base64.RawStdEncoding.EncodeToString(sealed)
}

// Open decrypts a secret of the record, or returns ErrSealed. old reports that a key other than the
// first sealed it.
func (s *Sealer) Open(record, sealed string) (secret string, old bool, err error) {
	text, known := strings.CutPrefix(sealed, sealedPrefix)
	data, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || !known {
		return "", false, ErrSealed
	}
	for i, key := range s.keys {
		if plain, err := key.Open(nil, nil, data, []byte(record)); err == nil {
			return string(plain), i > 0, nil
		}
	}
	return "", false, ErrSealed
}

// NewPassword returns a random password of 256 bits.
func NewPassword() string {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	return base64.RawURLEncoding.EncodeToString(random)
}
