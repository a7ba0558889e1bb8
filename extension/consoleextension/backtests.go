// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/excerpt"
)

const (
	// reportName is the file that `auspex backtest` writes into its output folder.
	reportName = "report.html"
	// maxReports bounds the reports of one answer, maxFolders the folders that are looked into.
	maxReports, maxFolders = 200, 10_000
	// maxReport bounds the bytes of a report, titleWithin how many of them are searched for its title.
	maxReport, titleWithin = 64 << 20, 2 << 10
)

// backtestView describes the report in one folder.
type backtestView struct {
	Name    string    `json:"name"`
	Title   string    `json:"title"`
	Written time.Time `json:"written"`
	Bytes   int64     `json:"bytes"`
}

// reports reads the reports below a directory, which is "" if none is configured. All paths
// are resolved by os.Root: neither a name nor a symbolic link leads out of the directory.
type reports struct{ directory string }

// backtests answers the reports, the latest first.
func (a *api) backtests(*engine.Engine, *http.Request, url.Values) (any, error) {
	list, err := a.reports.list()
	if err != nil {
		return nil, &httpError{http.StatusServiceUnavailable, fmt.Sprintf("the reports cannot be listed: %v: check backtests::directory", err)}
	}
	return map[string]any{"directory": a.reports.directory, "total": len(list), "backtests": list[:min(len(list), maxReports)]}, nil
}

func (r *reports) list() ([]backtestView, error) {
	list := []backtestView{}
	if r.directory == "" {
		return list, nil
	}
	root, err := os.OpenRoot(r.directory)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	folder, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	entries, err := folder.ReadDir(maxFolders)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	for _, e := range entries {
		f, info, err := openReport(root, e.Name())
		if err != nil {
			continue // another folder or file
		}
		head, err := io.ReadAll(io.LimitReader(f, titleWithin))
		if f.Close() == nil && err == nil {
			list = append(list, backtestView{e.Name(), titleOf(head), info.ModTime().UTC(), info.Size()})
		}
	}
	slices.SortFunc(list, func(a, b backtestView) int {
		if c := b.Written.Compare(a.Written); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return list, nil
}

// read returns the report in a folder of the directory.
func (r *reports) read(name string) ([]byte, error) {
	if r.directory == "" {
		return nil, fs.ErrNotExist
	}
	root, err := os.OpenRoot(r.directory)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, _, err := openReport(root, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxReport))
}

// openReport opens the report in a folder directly below root.
func openReport(root *os.Root, name string) (*os.File, fs.FileInfo, error) {
	if name == "." || strings.ContainsAny(name, `/\`) {
		return nil, nil, fs.ErrInvalid
	}
	file := path.Join(name, reportName)
	info, err := root.Stat(file)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxReport {
		return nil, nil, fs.ErrInvalid // opening a pipe would block
	}
	f, err := root.Open(file)
	return f, info, err
}

// titleOf returns the title of a page that begins with head, without the name of the product.
func titleOf(head []byte) string {
	_, rest, found := strings.Cut(string(head), "<title>")
	title, _, closed := strings.Cut(rest, "</title>")
	if !found || !closed {
		return ""
	}
	return excerpt.Of(strings.TrimSuffix(html.UnescapeString(title), " – Auspex"))
}

// serve answers a report as a page that can run no script and load nothing: its content
// policy permits its own style sheet, by hash.
func (r *reports) serve(w http.ResponseWriter, body []byte) {
	style := "'none'"
	if _, rest, found := bytes.Cut(body, []byte("<style>")); found {
		text, _, _ := bytes.Cut(rest, []byte("</style>"))
		sum := sha256.Sum256(text)
		style = "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src "+style+"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	putAs(w, http.StatusOK, "text/html; charset=utf-8", body)
}
