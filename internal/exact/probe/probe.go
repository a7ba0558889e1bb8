// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Probe computes results that must have the same bits on every processor. It reads a table of function calls in the
// format of testdata/table.txt, writes the table with the results that it computes itself, and then a digest of all
// judgments of detectors on generated series. Build it for another processor, and compare the output.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"

	"github.com/auspex-otel/auspex/internal/detect/ensemble"
	"github.com/auspex-otel/auspex/internal/exact"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	table, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("read the table from standard input: %w", err)
	}
	computed, err := compute(string(table))
	if err != nil {
		return err
	}
	digest, err := judgments()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%sjudgments %s\n", computed, digest)
	return err
}

var functions = map[string]func(x []float64) float64{
	"Exp":    func(x []float64) float64 { return exact.Exp(x[0]) },
	"Exp2":   func(x []float64) float64 { return exact.Exp2(x[0]) },
	"Expm1":  func(x []float64) float64 { return exact.Expm1(x[0]) },
	"Lgamma": func(x []float64) float64 { return exact.Lgamma(x[0]) },
	"Log":    func(x []float64) float64 { return exact.Log(x[0]) },
	"Log1p":  func(x []float64) float64 { return exact.Log1p(x[0]) },
	"Log2":   func(x []float64) float64 { return exact.Log2(x[0]) },
	"Pow":    func(x []float64) float64 { return exact.Pow(x[0], x[1]) },
}

// compute returns the table with new results. A line is the name of a function, then two bit patterns for its
// arguments, of which functions of one argument ignore the second, then that of the result. Lines that begin with #
// remain.
func compute(table string) (string, error) {
	var out strings.Builder
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "#") {
			out.WriteString(line)
			continue
		}
		words := strings.Fields(line)
		if len(words) < 3 || functions[words[0]] == nil {
			return "", fmt.Errorf("line %q: want a function of internal/exact and two arguments as hexadecimal bits", line)
		}
		var x [2]float64
		for i := range x {
			bits, err := strconv.ParseUint(words[1+i], 16, 64)
			if err != nil {
				return "", fmt.Errorf("line %q: %w", line, err)
			}
			x[i] = math.Float64frombits(bits)
		}
		fmt.Fprintf(&out, "%s %s %s %016x\n", words[0], words[1], words[2], math.Float64bits(functions[words[0]](x[:])))
	}
	return out.String(), nil
}

// judgments returns the SHA-256 of what detectors say about all points of the generated series, and of their state
// afterwards.
func judgments() (string, error) {
	const points = 6000
	h := sha256.New()
	out := bufio.NewWriter(h)
	for kind := range kinds {
		m := ensemble.New(nil)
		s := generator{r: rand.New(rand.NewPCG(25, uint64(kind)))}
		for i := range int64(points) {
			j := m.Observe(1_790_000_000_000_000_000+i*60_000_000_000, s.value(kind, i))
			if err := binary.Write(out, binary.LittleEndian, j); err != nil {
				return "", err
			}
		}
		state, err := m.AppendBinary(nil)
		if err != nil {
			return "", err
		}
		if _, err := out.Write(state); err != nil {
			return "", err
		}
	}
	if err := out.Flush(); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// kinds is the number of kinds of series that a generator knows.
const kinds = 6

type generator struct {
	r     *rand.Rand
	level float64
}

// value returns point i of a series with one point per minute. All series have faults: spikes, and a level that
// lasts for 200 points.
func (g *generator) value(kind int, i int64) float64 {
	noise := g.r.Float64() + g.r.Float64() + g.r.Float64() - 1.5
	day := math.Abs(float64(i%1440)/720 - 1) // a triangle
	fault := 0.0
	if i%977 == 900 || 4000 <= i && i < 4200 {
		fault = 1 + g.r.Float64()
	}
	g.level = float64(.98*g.level) + noise
	switch kind {
	case 0:
		return 100 + float64(3*noise) + float64(40*fault)
	case 1:
		return float64(50*day) + noise + float64(30*fault)
	case 2:
		return math.Floor(float64(3*g.r.Float64()*g.r.Float64()) + float64(20*fault)) // small counts
	case 3:
		return float64(1e-3*g.level) - float64(.1*fault)
	case 4:
		if i%7 == 0 {
			return float64(1e12*(1+fault)) + float64(1e9*noise)
		}
		return 0
	default:
		return float64(exact.Exp(noise+float64(2*day)) * (1 + float64(5*fault))) // skewed
	}
}
