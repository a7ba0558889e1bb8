// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"context"
	"maps"
	"math"
	"net/http"
	"slices"

	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/encoding/protowire"
)

// remoteWrite sends the points of a batch over remote write 1.0.
func remoteWrite(ctx context.Context, web *http.Client, at string, b Batch) error {
	var request []byte
	for _, p := range b.Points {
		request = field(request, 1, b.series(p))
	}
	headers := map[string]string{"Content-Encoding": "snappy"}
	return succeeded(Post(ctx, web, "http://"+at+"/api/v1/write", "application/x-protobuf", headers, snappy.Encode(nil, request)))
}

// series returns the remote-write message of a series with one sample.
func (b Batch) series(p Point) (message []byte) {
	labels := map[string]string{"__name__": b.Metric, "job": b.Service}
	maps.Copy(labels, p.Labels)
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		message = field(message, 1, field(field(nil, 1, []byte(name)), 2, []byte(labels[name])))
	}
	sample := protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), math.Float64bits(p.Value))
	sample = protowire.AppendVarint(protowire.AppendTag(sample, 2, protowire.VarintType), uint64(p.Time.UnixMilli()))
	return field(message, 2, sample)
}

func field(to []byte, number protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(to, number, protowire.BytesType), content)
}
