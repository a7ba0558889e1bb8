// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engineextension

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/engine"
)

// mostSchedule is the size in bytes from which a schedule is continued in a new file. The file before it is kept under
// its name with .1.
const mostSchedule = 256 << 20

// schedule appends what points are judged by to a file, see docs/formats/schedule.md.
type schedule struct {
	path   string
	engine *engine.Engine
	logger *zap.Logger
	file   *os.File
	size   int64
	most   int64
	whole  bool // the next write begins with all present values
	failed bool // the latest write
}

// openSchedule begins to write the schedule of an engine.
func openSchedule(path string, e *engine.Engine, logger *zap.Logger) (*schedule, error) {
	s := &schedule{path: path, engine: e, logger: logger, most: mostSchedule, whole: true}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("schedule_file: %w", err)
	}
	s.write()
	return s, nil
}

func (s *schedule) open() error {
	file, err := os.OpenFile(s.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	s.file, s.size = file, info.Size()
	return nil
}

// write appends the records since it was last called, or after an error all present values.
func (s *schedule) write() {
	err := s.append()
	if err != nil && !s.failed {
		s.logger.Error("Cannot write the schedule; changes until the next success are missing in it. Check the disk", zap.String("file", s.path), zap.Error(err))
	}
	s.failed, s.whole = err != nil, err != nil
}

func (s *schedule) append() error {
	if s.size >= s.most {
		if err := s.rotate(); err != nil {
			return err
		}
	}
	var b bytes.Buffer
	lines := json.NewEncoder(&b)
	for _, r := range s.engine.Published(s.whole) {
		if err := lines.Encode(r); err != nil {
			return err
		}
	}
	if b.Len() == 0 {
		return nil
	}
	n, err := s.file.Write(b.Bytes())
	if s.size += int64(n); err != nil {
		// The next line must begin at the start of a line.
		return errors.Join(err, s.file.Truncate(s.size-int64(n)))
	}
	return nil
}

// rotate continues in a new file, which begins with the present versions.
func (s *schedule) rotate() error {
	if err := s.file.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
		return err
	}
	if err := os.Rename(s.path, s.path+".1"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	s.whole = true
	return nil
}

func (s *schedule) close() error {
	s.write()
	return s.file.Close()
}
