// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchbulkreceiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/elastic/go-elasticsearch/v8/esutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/extension/extensionauth"
)

// TestGoClient sends with Elastic's own client and its bulk indexer, compressed, to a pipeline
// that is sometimes under pressure, and compares the lists.
func TestGoClient(t *testing.T) {
	t.Parallel()
	next := &pipeline{answer: func(_ context.Context, call int, _ []string) error {
		if call%3 == 1 {
			return errors.New("the queue is full")
		}
		return nil
	}}
	r := start(t, next, func(c *Config) { c.Chunk.Items = 50 })
	es, err := elasticsearch.NewClient(elasticsearch.Config{Addresses: []string{r.url}, CompressRequestBody: true})
	require.NoError(t, err)
	info, err := es.Info()
	require.NoError(t, err)
	require.NoError(t, info.Body.Close())
	require.Equal(t, http.StatusOK, info.StatusCode)

	const count = 1000
	var acknowledged, refused atomic.Int64
	left := make(map[string]bool, count)
	for i := range count {
		left[fmt.Sprint("line ", i)] = true
	}
	for round := 0; len(left) > 0; round++ {
		require.Less(t, round, 20)
		indexer, err := esutil.NewBulkIndexer(esutil.BulkIndexerConfig{Client: es, Index: "logs-go-default", NumWorkers: 1, FlushBytes: 10_000})
		require.NoError(t, err)
		done := make(chan string, count)
		for text := range left {
			require.NoError(t, indexer.Add(t.Context(), esutil.BulkIndexerItem{
				Action: "create", Body: strings.NewReader(said(text)),
				OnSuccess: func(context.Context, esutil.BulkIndexerItem, esutil.BulkIndexerResponseItem) {
					acknowledged.Add(1)
					done <- text
				},
				OnFailure: func(_ context.Context, _ esutil.BulkIndexerItem, res esutil.BulkIndexerResponseItem, err error) {
					refused.Add(1)
					assert.True(t, err != nil || res.Status == http.StatusTooManyRequests, "%v", res)
				},
			}))
		}
		require.NoError(t, indexer.Close(t.Context()))
		close(done)
		for text := range done {
			delete(left, text)
		}
	}
	assert.NotZero(t, refused.Load(), "the pressure was felt")
	assert.Equal(t, int64(count), acknowledged.Load())
	took := map[string]int{}
	for _, text := range next.accepted() {
		took[text]++
	}
	assert.Len(t, took, count)
	r.counts(count, "accepted_items")
}

// guard is an extension that accepts one header value.
type guard struct {
	component.StartFunc
	component.ShutdownFunc
	extensionauth.Server
}

func (guard) Authenticate(ctx context.Context, headers map[string][]string) (context.Context, error) {
	if h := headers["Authorization"]; len(h) == 1 && h[0] == "ApiKey c2VjcmV0" {
		return ctx, nil
	}
	return ctx, errors.New("wrong key")
}

type guarded struct{ id component.ID }

func (g guarded) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{g.id: guard{}}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	id := component.MustNewID("guard")
	next := &pipeline{}
	r := startWith(t, next, signals{logs: true}, guarded{id}, func(c *Config) {
		c.ServerConfig.Auth = configoptional.Some(confighttp.AuthConfig{Config: configauth.Config{AuthenticatorID: id}})
	})
	a := r.bulk(toIndex, said("m"))
	assert.Equal(t, http.StatusUnauthorized, a.StatusCode)
	assert.Equal(t, "security_exception", a.object(t)["error"].(map[string]any)["type"])
	assert.Contains(t, a.Header["Www-Authenticate"], "ApiKey")
	r.counts(1, "errors", reasonUnauthorized)
	assert.Empty(t, next.accepted())
	a = r.do("POST", "/_bulk", strings.NewReader(toIndex+"\n"+said("m")+"\n"), "Authorization: ApiKey c2VjcmV0")
	assert.Equal(t, []int{201}, a.statuses(t))
}
