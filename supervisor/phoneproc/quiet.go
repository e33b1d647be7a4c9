package phoneproc

import "github.com/hashicorp/go-hclog"

// quiet is the log that go-plugin gets. What it has to say itself is for
// debugging it: every error that matters comes back from its functions, and it
// calls a process that we killed an error. What it passes on from a worker's
// standard error goes to the log as it came.
type quiet struct {
	hclog.Logger
	worker string // the name that go-plugin gives to a worker's own log
}

func (q quiet) Info(msg string, args ...any) { q.Debug(msg, args...) }

func (q quiet) Warn(msg string, args ...any) { q.Debug(msg, args...) }

func (q quiet) Error(msg string, args ...any) { q.Debug(msg, args...) }

func (q quiet) Named(name string) hclog.Logger {
	if name == q.worker {
		return q.Logger
	}
	return quiet{q.Logger.Named(name), q.worker}
}
