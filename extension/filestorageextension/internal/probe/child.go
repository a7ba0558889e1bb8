// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// It runs before main, in the collector as in the tests of every package that has
// the extension, and does nothing without the argument.
func init() {
	if len(os.Args) != 4 || os.Args[1] != argument {
		return
	}
	wait, err := time.ParseDuration(os.Args[2])
	if err == nil {
		err = examine(os.Args[3], wait)
	}
	if err == nil {
		os.Exit(0)
	}
	fmt.Println(err)
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		os.Exit(codeInUse)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		os.Exit(codeUnknown)
	default:
		os.Exit(codeDamaged)
	}
}

// examine reads all of a file: its structure, and one byte of each page of every value.
func examine(path string, wait time.Duration) error {
	db, err := bbolt.Open(path, 0, &bbolt.Options{ReadOnly: true, Timeout: wait})
	if err != nil {
		return err
	}
	return db.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			return err // The process ends, and with it the goroutine that has more to say.
		}
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error { return b.ForEach(touch) })
	})
}

// touch reads one byte of each page of a value.
func touch(_, value []byte) error {
	for i := 0; i < len(value); i += os.Getpagesize() {
		runtime.KeepAlive(value[i])
	}
	return nil
}
