// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package peertest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// kafkaFolder is the folder of scripts/peers.sh below the cache.
const kafkaFolder = "kafka-4.4.0"

// kafkaWithin bounds the start of a broker on a busy machine.
const kafkaWithin = 5 * time.Minute

// Kafka is a real broker with an empty folder, which is also its controller. It may be restarted
// with its data.
type Kafka struct {
	*Process
	// Address is that of the broker, such as 127.0.0.1:9092.
	Address string

	t       TB
	program string
	folder  string
	ports   []string
}

// StartKafka starts a broker, and waits until it responds.
func StartKafka(t TB) *Kafka {
	t.Helper()
	program := filepath.Join(CacheFolder(t), kafkaFolder, "kafka")
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("Kafka is not in the cache (%v): run scripts/peers.sh kafka, which installs it", err)
	}
	a := FreeAddresses(t, 2)
	k := &Kafka{t: t, Address: a[0], program: program, folder: t.TempDir()}
	for _, address := range a {
		_, port := splitAddress(t, address)
		k.ports = append(k.ports, port)
	}
	k.Start()
	return k
}

// Start starts the broker with its folder and port, and waits until it responds.
func (k *Kafka) Start() {
	k.t.Helper()
	k.Process = Program{
		Name: "Kafka", Path: k.program, Args: append([]string{k.folder}, k.ports...), Log: filepath.Join(k.folder, "kafka.log"),
	}.Start(k.t)
	client := k.Client()
	defer client.Close()
	Eventually(k.t, kafkaWithin, "Kafka to be ready", func() error {
		if !k.Running() {
			k.t.Fatalf("Kafka exited unexpectedly. The end of its log:\n%s", lastLines(k.Log(), 15))
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		brokers, err := kadm.NewClient(client).ListBrokers(ctx)
		if err == nil && len(brokers) == 0 {
			return errors.New("the cluster has no brokers")
		}
		return err
	})
}

// Client returns a client. The caller closes it.
func (k *Kafka) Client(options ...kgo.Opt) *kgo.Client {
	k.t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(k.Address)}, options...)...)
	if err != nil {
		k.t.Fatalf("Kafka client: %v", err)
	}
	return client
}

// CreateTopics creates topics with a number of partitions.
func (k *Kafka) CreateTopics(ctx context.Context, partitions int32, topics ...string) error {
	client := k.Client()
	defer client.Close()
	created, err := kadm.NewClient(client).CreateTopics(ctx, partitions, 1, nil, topics...)
	if err != nil {
		return err
	}
	return created.Error()
}

// Assigned returns the partitions of each member of a consumer group, by its instance id.
func (k *Kafka) Assigned(ctx context.Context, group string) (map[string][]int32, error) {
	client := k.Client()
	defer client.Close()
	groups, err := kadm.NewClient(client).DescribeGroups(ctx, group)
	if err != nil {
		return nil, err
	}
	all := map[string][]int32{}
	for _, member := range groups[group].Members {
		if member.InstanceID == nil {
			return nil, errors.New("member " + member.MemberID + " of " + group + " has no instance id")
		}
		if assignment, ok := member.Assigned.AsConsumer(); ok {
			for _, topic := range assignment.Topics {
				all[*member.InstanceID] = append(all[*member.InstanceID], topic.Partitions...)
			}
		}
	}
	return all, groups[group].Err
}
