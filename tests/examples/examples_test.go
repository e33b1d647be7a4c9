package examples

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
)

// atOnce is how many servers run examples of one profile side by side.
const atOnce = 3

// sideBySide runs a test for each group. They mostly wait, so all of them run
// at the same time, however few processors there are.
func sideBySide[T any](t *testing.T, groups []T, test func(*testing.T, T)) {
	var all sync.WaitGroup
	for i, group := range groups {
		all.Go(func() { t.Run(fmt.Sprint(i), func(t *testing.T) { test(t, group) }) })
	}
	all.Wait()
}

// Every example passes, as often as -times says, on the embedded PBX.
func TestExamplesPass(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	tallies, seen := map[string]*tally{}, fields{}
	sideBySide(t, groups(examples(t)), func(t *testing.T, group []example) {
		results := runGroup(t, group)
		mu.Lock()
		defer mu.Unlock()
		for _, r := range results {
			if tallies[r.Name] == nil {
				tallies[r.Name] = &tally{}
			}
			tallies[r.Name].add(r)
			seen.add(r)
		}
	})
	seen.check(t)
	for _, e := range examples(t) {
		if c := tallies[e.name()]; c == nil || len(c.took) != *times {
			t.Errorf("%s did not run %d times", e.name(), *times)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tallies)) {
		c := tallies[name]
		t.Logf("%-20s %s", name, c)
		for _, fault := range c.faults {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

// crash kills a worker. A phone stays down after the fourth death within a
// minute, so each run of it has a server of its own.
const crash = "worker-crash.yaml"

// groups are examples of one profile each, so many for each server.
func groups(all []example) [][]example {
	byProfile := map[string][]example{}
	var list [][]example
	for _, e := range all {
		if e.file == crash {
			list = append(list, []example{e})
		} else {
			byProfile[e.profile] = append(byProfile[e.profile], e)
		}
	}
	for _, profile := range slices.Sorted(maps.Keys(byProfile)) {
		of := byProfile[profile]
		list = append(list, slices.Collect(slices.Chunk(of, (len(of)+atOnce-1)/atOnce))...)
	}
	return list
}

// runGroup runs examples of one profile, one after the other, again and again.
func runGroup(t *testing.T, group []example) []result {
	dir := home(t)
	addr, words := onFreePort(t)
	copyExamples(t, dir, words)
	args := []string{"--profile", group[0].profile, "--pbx", addr}
	var all []result
	for range *times {
		for _, e := range group {
			args = append(args, e.file)
		}
		if group[0].file == crash {
			results, _ := supervise(t, dir, args...)
			all, args = append(all, results...), args[:len(args)-1]
		}
	}
	if group[0].file != crash {
		all, _ = supervise(t, dir, args...)
	}
	return all
}
