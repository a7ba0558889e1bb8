// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/auspex-otel/auspex/internal/worker"
)

// leastWorkerMemory and mostWorkerMemory bound --memory-mib.
const (
	leastWorkerMemory = 1
	mostWorkerMemory  = 1 << 20
)

func newWorker(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Evaluate series or shards for another program, such as Spark, Beam, or Flink",
		Long: `Evaluate series or shards for another program, which sends requests to standard input
and reads replies from standard output. The packages auspex-spark, auspex-beam, and
auspex-flink start it. engines/worker/README.md in the repository specifies the protocol.

` + workerExitCodes,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newWorkerOf(env, worker.InterfaceSeries, "Evaluate series, each independently",
			"Evaluate Arrow record batches of key, time, and value, as backtest csv does."),
		newWorkerOf(env, worker.InterfaceShard, "Evaluate all telemetry of services",
			"Evaluate OTLP of shards, each with an engine of its own, as backtest otlp does."))
	return cmd
}

const workerExitCodes = `Exit codes:
  0  the input has ended
  1  the input is not a sequence of messages, or an output could not be written
  2  invalid usage`

func newWorkerOf(env environment, kind, short, long string) *cobra.Command {
	memory, live := 1024, worker.DefaultLive
	cmd := &cobra.Command{
		Use:   kind,
		Short: short,
		Long:  long + "\n\n" + workerExitCodes,
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			if memory < leastWorkerMemory || memory > mostWorkerMemory {
				return fmt.Errorf("--memory-mib is %d: must be %d to %d", memory, leastWorkerMemory, mostWorkerMemory)
			}
			if live < 1 {
				return fmt.Errorf("--live is %d: must be at least 1", live)
			}
			if err := worker.Run(env.in, env.out, worker.Options{Interface: kind, Version: version, Memory: memory << 20, Live: live}); err != nil {
				return failure{err}
			}
			return nil
		},
	}
	cmd.Flags().IntVar(&memory, "memory-mib", memory, "maximum memory for the states of keys that are not in use")
	cmd.Flags().IntVar(&live, "live", live, "maximum number of keys in use; the others are kept as states, which is slower")
	return cmd
}
