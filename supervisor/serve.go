package supervisor

import (
	"cmp"
	"context"
	"errors"
	"time"

	"ringmaster/config"
	"ringmaster/proto/phone"
	"ringmaster/proto/phonewire"
	"ringmaster/supervisor/fleet"
	"ringmaster/supervisor/hub"
	"ringmaster/supervisor/mcpserver"
	"ringmaster/supervisor/phoneproc"
	"ringmaster/supervisor/tool"

	"github.com/hashicorp/go-hclog"
)

// closeLimit is how long the phones may take to leave once the client has:
// with what the last answers take, all is done within 3 s.
const closeLimit = 2400 * time.Millisecond

// serve is the MCP server on stdin and stdout.
func serve(ctx context.Context, e Edges, args []string) error {
	o, err := parseServe(args)
	if errors.Is(err, errHelp) {
		return help(e)
	}
	if err != nil {
		return err
	}
	log := o.logger(e.Stderr)
	o.worker = cmp.Or(o.worker, e.workerBeside())
	s, err := newServer(ctx, e, o, log)
	if err != nil {
		return err
	}
	return s.serve(ctx, e)
}

// assembly is the parts of a running server.
type assembly struct {
	log     hclog.Logger
	starter *phoneproc.Starter
	fleet   *fleet.Fleet
	tools   *tool.Set
	mcp     *mcpserver.Server
	profile []phone.Settings // to be there before the client first asks
	ready   chan struct{}    // closed when they are
}

func newServer(ctx context.Context, e Edges, o serveOptions, log hclog.Logger) (*assembly, error) {
	roots := config.Resolve(o.roots, config.Machine{Getenv: e.Environ.Lookup, Home: e.Home, Temp: e.TempDir, Usable: config.Usable})
	a := &assembly{log: log, ready: make(chan struct{})}
	known := codecs(o.worker, e.WorkerArgs, log.Named("codecs"))
	if err := a.readProfile(ctx, o.profile, known, e.Environ.Lookup); err != nil {
		return nil, err
	}
	starter, err := phoneproc.New(phoneproc.Options{
		Path: o.worker, Args: e.WorkerArgs, Version: phonewire.Version, Environ: e.Environ, TempDir: e.TempDir, Log: log,
	})
	if err != nil {
		return nil, cannot(err)
	}
	a.starter = starter
	journal := hub.New()
	name, _ := e.Environ.Lookup("RINGMASTER_SDP_SESSION_NAME")
	a.fleet = fleet.New(starter, journal, fleet.Options{
		RecordingsDir: roots.Recordings, CapturesDir: roots.Captures,
		SDPSessionName: cmp.Or(o.sdpSessionName, name, "Ringmaster"),
		OnChange:       func(added, removed []phone.ID) { a.mcp.PhonesChanged(added, removed) },
		Now:            e.Now, Log: log.Named("fleet"),
	})
	shared := o.tools == "shared"
	a.tools = tool.New(tool.Options{
		Phones: a.fleet, Hub: journal, Now: e.Now, Profile: cmp.Or(o.profile, roots.Profile), Getenv: e.Environ.Lookup,
		Codecs: known, FilesUnder: o.filesUnder, HostPaths: hostPaths(roots), Shared: shared,
	})
	a.mcp = mcpserver.New(mcpserver.Options{
		Tools: a.tools, Shared: shared, Version: phonewire.Version, Log: log.Named("mcp"), Ready: a.ready,
	})
	return a, nil
}

// readProfile checks the file of --profile before anything is started.
func (a *assembly) readProfile(ctx context.Context, path string, codecs func(context.Context) []string, getenv func(string) (string, bool)) error {
	if path == "" {
		return nil
	}
	profile, err := config.Load(path, config.Options{Codecs: codecs(ctx), Getenv: getenv})
	if err != nil {
		return invalid(err)
	}
	for _, warning := range profile.Warnings {
		a.log.Warn(warning)
	}
	a.profile = profile.Phones
	return nil
}

// serve serves one client, and then ends everything, in order: the client's
// last answers, the phones with their calls, what is left of their processes.
func (a *assembly) serve(ctx context.Context, e Edges) error {
	for _, s := range a.profile {
		if err := a.tools.CheckPhoneID(s.PhoneID); err != nil {
			return errors.Join(invalid(err), a.starter.Close())
		}
	}
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
	leaving, stop := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
	defer stop()
	err = errors.Join(err, a.fleet.Close(leaving), a.starter.Close())
	<-started
	return err
}

// startProfile starts the phones of --profile. One that does not start is
// logged; the server goes on.
func (a *assembly) startProfile(ctx context.Context) {
	if len(a.profile) == 0 {
		return
	}
	result := a.fleet.Load(ctx, a.profile, true)
	for _, f := range result.Failed {
		a.log.Error("a phone of the profile did not start", "phone", f.PhoneID, "error", f.Err)
	}
	a.log.Info("the profile is loaded", "phones", len(result.Added), "failed", len(result.Failed))
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
