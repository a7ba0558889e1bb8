// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package peertest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// elasticsearchFolders maps major versions to the folders of scripts/peers.sh below the cache.
var elasticsearchFolders = map[int]string{8: "elasticsearch-8.19.21", 9: "elasticsearch-9.5.3"}

// elasticsearchWithin bounds the start of a node on a busy machine.
const elasticsearchWithin = 2 * time.Minute

// Elasticsearch is a real single-node server with an empty folder, without security and index
// templates. It may be restarted with its data.
type Elasticsearch struct {
	*Process
	// URL is the address, such as http://127.0.0.1:9200.
	URL string

	t       TB
	program string
	folder  string
	ports   []string
}

// StartElasticsearch starts a node of major version 8 or 9, and waits until it is ready.
func StartElasticsearch(t TB, major int) *Elasticsearch {
	t.Helper()
	program := filepath.Join(CacheFolder(t), elasticsearchFolders[major], "elasticsearch")
	if _, err := os.Stat(program); err != nil || elasticsearchFolders[major] == "" {
		t.Fatalf("Elasticsearch %d is not in the cache (%v): run scripts/peers.sh elasticsearch %d, which installs it", major, err, major)
	}
	a := FreeAddresses(t, 2)
	e := &Elasticsearch{t: t, URL: "http://" + a[0], program: program, folder: t.TempDir()}
	for _, address := range a {
		_, port := splitAddress(t, address)
		e.ports = append(e.ports, port)
	}
	e.Start()
	return e
}

// Start starts the node with its folder and port, and waits until its data can be searched.
func (e *Elasticsearch) Start() {
	e.t.Helper()
	e.Process = Program{Name: "Elasticsearch", Path: e.program, Args: append([]string{e.folder}, e.ports...), Log: filepath.Join(e.folder, "elasticsearch.log")}.Start(e.t)
	e.waitReady(elasticsearchWithin, e.URL+"/_cluster/health?wait_for_status=yellow&timeout=1s")
}

// Do sends a request, and returns the body of a successful response.
func (e *Elasticsearch) Do(ctx context.Context, method, path, body string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, e.URL+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("answer to %s %s: %w", method, path, err)
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		return nil, fmt.Errorf("%s %s answered %s: %s", method, path, res.Status, text)
	}
	return text, nil
}

// Hit is a document in a search result.
type Hit struct {
	Index  string         `json:"_index"`
	ID     string         `json:"_id"`
	Source map[string]any `json:"_source"`
}

// Search returns all documents that match a query, such as {"term":{"attributes.n":1}}, or all if
// the query is empty. It includes everything that was acknowledged before. A missing index has no
// documents.
func (e *Elasticsearch) Search(ctx context.Context, index, query string) (hits []Hit, err error) {
	if query == "" {
		query = `{"match_all":{}}`
	}
	err = e.Scan(ctx, index, `"query":`+query, func(h Hit) { hits = append(hits, h) })
	return hits, err
}

// Scan calls do with each result of a search that exceeds memory. The search is the content of a
// JSON object, such as "query":{"match_all":{}},"_source":["message"].
func (e *Elasticsearch) Scan(ctx context.Context, index, search string, do func(Hit)) error {
	missing := "?ignore_unavailable=true&allow_no_indices=true"
	if _, err := e.Do(ctx, http.MethodPost, "/"+index+"/_refresh"+missing, ""); err != nil {
		return err
	}
	path, body := "/"+index+"/_search"+missing+"&scroll=1m", `{"size":5000,"sort":["_doc"],`+search+"}"
	for {
		text, err := e.Do(ctx, http.MethodPost, path, body)
		if err != nil {
			return err
		}
		var page struct {
			ScrollID string `json:"_scroll_id"`
			Shards   struct {
				Total int `json:"total"`
			} `json:"_shards"`
			Hits struct {
				Hits []Hit `json:"hits"`
			} `json:"hits"`
		}
		if err := json.Unmarshal(text, &page); err != nil {
			return fmt.Errorf("answer to %s: %w", path, err)
		}
		if page.Shards.Total == 0 {
			return nil // no index exists, and nothing is left to close
		}
		for _, h := range page.Hits.Hits {
			do(h)
		}
		path, body = "/_search/scroll", fmt.Sprintf(`{"scroll":"1m","scroll_id":%q}`, page.ScrollID)
		if len(page.Hits.Hits) == 0 {
			_, err := e.Do(ctx, http.MethodDelete, "/_search/scroll", fmt.Sprintf(`{"scroll_id":%q}`, page.ScrollID))
			return err
		}
	}
}
