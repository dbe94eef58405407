package main

import (
	"errors"
	"os"
	"path/filepath"
)

// writeSecret writes a file that only its user can read. If that fails, for example on a full disk, there is
// the file of before, or none: never a part of one.
func writeSecret(path string, text []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*") // created with mode 0600
	if err != nil {
		return err
	}
	_, err = temporary.Write(text)
	if err = errors.Join(err, temporary.Sync(), temporary.Close()); err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
	}
	return err
}
