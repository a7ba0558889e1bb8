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

// This init runs before main, in the collector and in the tests of every package that imports the
// extension. It does nothing without the argument.
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

// examine reads all of a file: its length, its structure, and one byte of each page of
// every value. The length matters although all used pages are there: free pages that are
// missing would be used for the next values, beyond the mapped part of the file.
func examine(path string, wait time.Duration) error {
	db, err := bbolt.Open(path, 0, &bbolt.Options{ReadOnly: true, Timeout: wait})
	if err != nil {
		return err
	}
	return db.View(func(tx *bbolt.Tx) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.Size() < tx.Size() {
			return fmt.Errorf("the file ends at byte %d, its header states %d", info.Size(), tx.Size())
		}
		for err := range tx.Check() {
			return err // the process exits, so the goroutine ends
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
