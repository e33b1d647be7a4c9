package supervisor

import (
	"cmp"
	"context"
	"errors"

	"ringmaster/config"
	"ringmaster/proto/phone"
	"ringmaster/proto/phonewire"
	"ringmaster/supervisor/mcpserver"
	"ringmaster/supervisor/tool"
)

// serve is the MCP server on stdin and stdout.
func serve(ctx context.Context, e Edges, args []string) error {
	o, err := parseServe(args)
	if errors.Is(err, errHelp) {
		return help(e)
	}
	if err != nil {
		return err
	}
	a, err := newServer(ctx, e, o)
	if err != nil {
		return err
	}
	return a.serve(ctx, e)
}

// assembly is a running server.
type assembly struct {
	*house
	tools *tool.Set
	mcp   *mcpserver.Server
	ready chan struct{} // closed when the phones of the profile are there
}

func newServer(ctx context.Context, e Edges, o serveOptions) (*assembly, error) {
	patterns, err := loadPatterns(o.patterns)
	if err != nil {
		return nil, err
	}
	a := &assembly{ready: make(chan struct{})}
	a.house, err = newHouse(ctx, e, o.options, func(added, removed []phone.ID) { a.mcp.PhonesChanged(added, removed) }, o.logger(e.Stderr))
	if err != nil {
		return nil, err
	}
	shared := o.tools == "shared"
	a.tools = tool.New(tool.Options{
		Phones: a.fleet, Hub: a.journal, Now: e.Now, Profile: cmp.Or(o.profile, a.roots.Profile), Getenv: e.lookupEnv,
		Codecs: a.codecs, Recordings: a.roots.Recordings, Captures: a.roots.Captures, FilesUnder: o.filesUnder, HostPaths: hostPaths(a.roots), Shared: shared,
		Runs: a.runs, Patterns: patterns, Peers: a.peers(),
	})
	a.mcp = mcpserver.New(mcpserver.Options{
		Tools: a.tools, Shared: shared, Version: phonewire.Version, Log: a.log.Named("mcp"), PBX: a.pbxAddr(), Ready: a.ready,
	})
	for _, s := range a.profile {
		if err := a.tools.CheckPhoneID(s.PhoneID); err != nil {
			return nil, errors.Join(invalid(err), a.close(ctx))
		}
	}
	return a, nil
}

// serve serves one client, and then ends everything, in order: the client's
// last answers, then the house.
func (a *assembly) serve(ctx context.Context, e Edges) error {
	starting, stopStarting := context.WithCancel(ctx)
	started := make(chan struct{})
	go func() {
		defer close(started)
		a.startProfile(starting)
		close(a.ready)
	}()
	err := a.mcp.ServeStdio(ctx, e.Stdin, e.Stdout)
	if err != nil {
		err = cannot(err)
	}
	a.log.Info("the client is gone: the phones leave")
	stopStarting()
	err = errors.Join(err, a.close(ctx))
	<-started
	return err
}

func hostPaths(r config.Roots) []tool.HostPath {
	var paths []tool.HostPath
	if r.HostRecordings != "" {
		paths = append(paths, tool.HostPath{Inside: r.Recordings, Host: r.HostRecordings})
	}
	if r.HostCaptures != "" {
		paths = append(paths, tool.HostPath{Inside: r.Captures, Host: r.HostCaptures})
	}
	return paths
}
