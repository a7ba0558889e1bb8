// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package exporterutil

import (
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/deadletter"
)

// WarnOfLoss logs each setting with which a queue can lose data that it has acknowledged.
func WarnOfLoss(logger *zap.Logger, queue configoptional.Optional[exporterhelper.QueueBatchConfig], retry configretry.BackOffConfig, letters deadletter.Config) {
	if !queue.HasValue() || queue.Get().WaitForResult {
		return
	}
	if queue.Get().StorageID == nil {
		logger.Warn("sending_queue acknowledges data that is only in memory. A crash loses it: set sending_queue::storage or sending_queue::wait_for_result")
	}
	if retry.MaxElapsedTime > 0 {
		logger.Warn("sending_queue deletes data that is not written within retry_on_failure::max_elapsed_time: set it to 0")
	}
	if letters.Directory == "" {
		logger.Warn("sending_queue deletes data that the server rejects: set dead_letter::directory")
	}
}
