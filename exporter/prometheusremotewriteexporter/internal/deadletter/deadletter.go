// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	bodySuffix = ".snappy"
	noteSuffix = ".json"
	halfSuffix = ".part" // a file that is being written
)

// Note says why a letter is here.
type Note struct {
	// Time is when it was refused.
	Time time.Time `json:"time"`
	// Status is that of the HTTP answer, 0 if there was none.
	Status int `json:"status"`
	// Reason is the answer in words.
	Reason string `json:"reason"`
	// Series and Samples are how much is in the body.
	Series  int `json:"series"`
	Samples int `json:"samples"`
	// ContentType and Version are headers that the body needs when it is sent again.
	ContentType string `json:"content_type"`
	Version     string `json:"version"`
	// Endpoint is who refused it.
	Endpoint string `json:"endpoint"`
}

// Folder holds the letters of one exporter. It may be used by several goroutines.
type Folder struct {
	dir   string
	limit int64

	mu   sync.Mutex
	seq  int
	size int64
}

// Open makes the folder below parent if it is not there, and counts what it holds.
func Open(parent, component string, limit int64) (*Folder, error) {
	name := strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r == ':' {
			return '_'
		}
		return r
	}, component)
	f := &Folder{dir: filepath.Join(parent, name), limit: limit}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), halfSuffix) { // Left by a crash.
			_ = os.Remove(filepath.Join(f.dir, e.Name()))
		} else if info, err := e.Info(); err == nil {
			f.size += info.Size()
		}
	}
	return f, nil
}

// Put writes a letter to disk, and returns the file of its body. While there is
// too little room the oldest letters go. After an error nothing of the letter is left.
func (f *Folder) Put(body []byte, note Note) (file string, evicted int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	note.Time = time.Now().UTC()
	line, err := json.Marshal(note)
	if err != nil {
		return "", 0, err
	}
	line = append(line, '\n')
	need := int64(len(body) + len(line))
	if evicted, err = f.makeRoom(need); err != nil {
		return "", evicted, err
	}
	f.seq++
	name := filepath.Join(f.dir, fmt.Sprintf("%s-%06d", note.Time.Format("20060102T150405.000000000Z"), f.seq))
	// The note goes first: a body is never without its reason.
	if err = write(name+noteSuffix, line); err == nil {
		err = write(name+bodySuffix, body)
	}
	if err == nil {
		err = syncDir(f.dir)
	}
	if err != nil {
		return "", evicted, errors.Join(err, remove(name+bodySuffix), remove(name+noteSuffix))
	}
	f.size += need
	return name + bodySuffix, evicted, nil
}

// makeRoom deletes the oldest letters. A letter above the limit of its own stays alone.
func (f *Folder) makeRoom(need int64) (evicted int, err error) {
	if f.size+need <= f.limit {
		return 0, nil
	}
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return 0, err
	}
	// Letters that somebody took away leave room, so the sizes are read anew.
	sizes, names := map[string]int64{}, []string{}
	f.size = 0
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return 0, err
		}
		name := strings.TrimSuffix(strings.TrimSuffix(e.Name(), bodySuffix), noteSuffix)
		if _, known := sizes[name]; !known {
			names = append(names, name)
		}
		sizes[name] += info.Size()
		f.size += info.Size()
	}
	slices.Sort(names) // They begin with their time.
	for _, name := range names {
		if f.size+need <= f.limit {
			break
		}
		path := filepath.Join(f.dir, name)
		if err := errors.Join(remove(path+bodySuffix), remove(path+noteSuffix)); err != nil {
			return evicted, err
		}
		f.size -= sizes[name]
		evicted++
	}
	return evicted, nil
}

// write makes a file that is whole or not there.
func write(name string, content []byte) error {
	half := name + halfSuffix
	file, err := os.OpenFile(half, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(half, name)
	}
	if err != nil {
		return errors.Join(err, remove(half))
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// remove deletes a file that may not be there.
func remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
