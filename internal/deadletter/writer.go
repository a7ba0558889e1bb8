// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/excerpt"
	"github.com/auspex-otel/auspex/internal/logutil"
)

// segmentsPerFolder is the number of segments in a full folder. One is discarded at a time.
const segmentsPerFolder = 8

// folders holds a *sync.Mutex for each folder, because an exporter has one writer per signal.
var folders sync.Map

// Writer writes the letters of one component. It is safe for concurrent use.
type Writer struct {
	component string
	folder    string
	max       int64
	log       *logutil.Limiter
	mu        *sync.Mutex
}

// New returns the writer of a component, or nil if dead_letter::directory is not set. The folder
// is <directory>/<kind>_<id>. New does not create it.
func New(cfg Config, kind component.Kind, id component.ID, logger *zap.Logger) *Writer {
	if cfg.Directory == "" {
		return nil
	}
	name := strings.ToLower(kind.String())
	folder := filepath.Join(cfg.Directory, strings.NewReplacer("/", "_", `\`, "_").Replace(name+"_"+id.String()))
	mu, _ := folders.LoadOrStore(folder, new(sync.Mutex))
	return &Writer{
		component: name + "s::" + id.String(), folder: folder, max: cfg.MaxBytes, log: logutil.NewLimiter(logger), mu: mu.(*sync.Mutex),
	}
}

// Folder returns the folder of the letters.
func (w *Writer) Folder() string { return w.folder }

// Prepare creates the folder. It returns an error if letters cannot be written to it.
func (w *Writer) Prepare() error {
	if err := os.MkdirAll(w.folder, 0o700); err != nil {
		return err
	}
	probe, err := os.CreateTemp(w.folder, "probe-*")
	if err != nil {
		return err
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// Write writes letters and returns when they are on disk, so that their data may be acknowledged.
// It sets their time and component. If the folder is full, it discards and logs the oldest
// letters. It returns the number of discarded letters and omitted payloads. After an error, a
// part of the letters may have been written, so repeating the call may duplicate letters but
// loses none.
func (w *Writer) Write(letters []Letter) (discarded int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, err := w.begin()
	if err != nil {
		return 0, fmt.Errorf("cannot write dead letters: %w", err)
	}
	now := time.Now().UTC()
	for _, l := range letters {
		l.Time, l.Component, l.Reason = now, w.component, excerpt.Of(l.Reason)
		if err = b.write(l, now); err != nil {
			break
		}
	}
	if err = b.end(err); err != nil {
		err = fmt.Errorf("cannot write dead letters: %w", err)
	}
	if b.discarded > 0 {
		w.log.Error("discarded", b.discarded, "The dead letter is full, and its oldest entries were discarded: move its files away, or increase dead_letter::max_bytes",
			zap.String("folder", w.folder), zap.Int64("dead_letter::max_bytes", w.max))
	}
	return b.discarded, err
}

// batch is the state of one Write.
type batch struct {
	folder    string
	max       int64
	segments  []segment // oldest first
	size      int64     // of all segments
	file      *os.File  // the last segment, or nil
	begin     int64     // size of the file when it was opened
	created   bool
	discarded int
}

func (w *Writer) begin() (*batch, error) {
	if err := os.MkdirAll(w.folder, 0o700); err != nil {
		return nil, err
	}
	all, err := segments(w.folder)
	if err != nil {
		return nil, err
	}
	b := &batch{folder: w.folder, max: w.max, segments: all}
	for _, s := range all {
		b.size += s.size
	}
	return b, nil
}

// write appends one letter to the last segment, or to a new one.
func (b *batch) write(l Letter, now time.Time) error {
	line, omitted, err := l.line(b.max)
	if err != nil {
		return err
	}
	if omitted {
		b.discarded++
	}
	if err := b.open(int64(len(line)), now); err != nil {
		return err
	}
	if err := b.makeRoom(int64(len(line))); err != nil {
		return err
	}
	if _, err := b.file.Write(line); err != nil {
		return err
	}
	b.segments[len(b.segments)-1].size += int64(len(line))
	b.size += int64(len(line))
	return nil
}

// open makes the file a segment with room for a line.
func (b *batch) open(need int64, now time.Time) error {
	last := len(b.segments) - 1
	fits := last >= 0 && b.segments[last].size+need <= b.max/segmentsPerFolder
	switch {
	case fits && b.file != nil:
		return nil
	case fits && b.segments[last].whole():
	default:
		number := int64(1)
		if last >= 0 {
			number = b.segments[last].number + 1
		}
		if err := b.close(nil); err != nil {
			return err
		}
		b.segments = append(b.segments, newSegment(b.folder, number, now))
		last++
		b.created = true
	}
	s := b.segments[last]
	file, err := os.OpenFile(s.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	b.file, b.begin = file, s.size
	return nil
}

// makeRoom discards the oldest segments, except the last, which is being written.
func (b *batch) makeRoom(need int64) error {
	for b.size+need > b.max && len(b.segments) > 1 {
		s := b.segments[0]
		n := s.letters()
		if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		b.discarded += n
		b.size -= s.size
		b.segments = b.segments[1:]
	}
	return nil
}

// close syncs the file, or restores its size after an error.
func (b *batch) close(err error) error {
	if b.file == nil {
		return err
	}
	file := b.file
	b.file = nil
	if err == nil {
		err = file.Sync()
	}
	if err != nil {
		err = errors.Join(err, file.Truncate(b.begin))
	}
	return errors.Join(err, file.Close())
}

// end closes the file, and syncs the folder with new segments.
func (b *batch) end(err error) error {
	if err = b.close(err); err != nil || !b.created {
		return err
	}
	dir, err := os.Open(b.folder)
	if err != nil {
		return err
	}
	// Not every file system can sync a folder. The segments themselves are on disk.
	_ = dir.Sync()
	return dir.Close()
}
