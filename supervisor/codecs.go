package supervisor

import (
	"context"
	"encoding/json"
	"os/exec"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// codecsLimit bounds the asking: a worker program that says nothing must not
// hold up a tool for longer.
const codecsLimit = 3 * time.Second

// codecs asks the worker program, once, which codecs are built into it; only
// it can know. When it does not say, any name is taken here, and the worker
// refuses what it does not have.
func codecs(path string, args []string, log hclog.Logger) func(context.Context) []string {
	var mu sync.Mutex
	var known []string
	return func(ctx context.Context) []string {
		mu.Lock()
		defer mu.Unlock()
		if known != nil {
			return known
		}
		ctx, cancel := context.WithTimeout(ctx, codecsLimit)
		defer cancel()
		asked := exec.CommandContext(ctx, path, append(append([]string{}, args...), "version", "--json")...)
		asked.Env = []string{}
		out, err := asked.Output()
		var said struct {
			Codecs []string `json:"codecs"`
		}
		if err == nil {
			err = json.Unmarshal(out, &said)
		}
		if err != nil {
			log.Warn("the worker program does not say which codecs are built in", "worker", path, "error", err)
			return nil
		}
		known = said.Codecs
		return known
	}
}
