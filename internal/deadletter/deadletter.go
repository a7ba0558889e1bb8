// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// overhead is how many bytes a letter has beside its event and its reason, at most.
const overhead = 1 << 10

// File is the dead-letter file of one component, bounded in bytes. It is opened
// for each write. It may be used by several goroutines.
type File struct {
	path string
	max  int64
	mu   sync.Mutex
}

// New takes a path, whose folder is made when it is needed.
func New(path string, maxBytes int64) *File { return &File{path: path, max: maxBytes} }

// Folder is the folder of one component below the configured directory, where id is the component's own.
func Folder(directory, kind, id string) string {
	return filepath.Join(directory, strings.NewReplacer("/", "_", `\`, "_").Replace(kind+"_"+id))
}

// Path is where the file is.
func (f *File) Path() string { return f.path }

// Prepare makes the folder and the file. It returns an error if they cannot be written.
func (f *File) Prepare() error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(f.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(file.Close(), syncFolder(filepath.Dir(f.path)))
}

// Room returns an error if so many letters of so many bytes in all could not be written now.
func (f *File) Room(bytes, letters int) error {
	var size int64
	switch info, err := os.Stat(f.path); {
	case err == nil:
		size = info.Size()
	case !errors.Is(err, os.ErrNotExist):
		return err
	}
	if size+int64(bytes)+int64(letters)*overhead > f.max {
		return f.full(size)
	}
	return nil
}

func (f *File) full(size int64) error {
	return fmt.Errorf("%s is full: it has %d bytes and dead_letter::max_bytes is %d; look at it, then move it away or raise the limit", f.path, size, f.max)
}

// Append writes letters, one JSON line each, all or none. It returns when they
// are on disk, so that what was written may be acknowledged.
func Append[L any](f *File, letters []L) error {
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	enc.SetEscapeHTML(false)
	for i := range letters {
		if err := enc.Encode(&letters[i]); err != nil {
			return fmt.Errorf("dead letter: %w", err)
		}
	}
	if err := f.append(lines.Bytes()); err != nil {
		return fmt.Errorf("dead letter: %w", err)
	}
	return nil
}

func (f *File) append(lines []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(f.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	created, err := f.extend(file, lines)
	if err = errors.Join(err, file.Close()); err == nil && created {
		err = syncFolder(filepath.Dir(f.path))
	}
	return err
}

// extend writes lines at the end of the file, or leaves it as it was. It tells whether the file was empty.
func (f *File) extend(file *os.File, lines []byte) (created bool, err error) {
	info, err := file.Stat()
	if err != nil {
		return false, err
	}
	size := info.Size()
	if size > 0 {
		// A line that a crash cut off is ended, so that it spoils no other.
		last := make([]byte, 1)
		if _, err := file.ReadAt(last, size-1); err != nil {
			return false, err
		}
		if last[0] != '\n' {
			lines = append([]byte("\n"), lines...)
		}
	}
	if size+int64(len(lines)) > f.max {
		return false, f.full(size)
	}
	if _, err = file.WriteAt(lines, size); err == nil {
		err = file.Sync()
	}
	if err != nil {
		return false, errors.Join(err, file.Truncate(size))
	}
	return size == 0, nil
}

// syncFolder puts a new file's name on disk.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	// Not every file system can; the file itself is on disk.
	_ = f.Sync()
	return f.Close()
}
