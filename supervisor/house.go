package supervisor

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"time"

	"ringmaster/config"
	"ringmaster/proto/phone"
	"ringmaster/proto/phonewire"
	"ringmaster/supervisor/fleet"
	"ringmaster/supervisor/hub"
	"ringmaster/supervisor/pbx"
	"ringmaster/supervisor/phoneproc"
	"ringmaster/supervisor/runs"

	"github.com/hashicorp/go-hclog"
)

// closeLimit is how long the phones may take to leave once the client has:
// with what the last answers take, all is done within 3 s.
const closeLimit = 2400 * time.Millisecond

// house is what serve and run have in common: the phones, what is known of
// them, scenarios for them, and the PBX when one is wanted.
type house struct {
	log     hclog.Logger
	roots   config.Roots
	codecs  func(context.Context) []string
	profile []phone.Settings // of --profile
	starter *phoneproc.Starter
	journal *hub.Hub
	fleet   *fleet.Fleet
	runs    *runs.Store
	pbx     *pbx.PBX // nil without --pbx
}

// newHouse checks everything before it starts anything. Without an error,
// close must be called. onChange is told of phones that come and go.
func newHouse(ctx context.Context, e Edges, o options, onChange func(added, removed []phone.ID), log hclog.Logger) (*house, error) {
	o.worker = cmp.Or(o.worker, e.workerBeside())
	h := &house{log: log, journal: hub.New(), roots: e.roots(o.roots)}
	h.codecs = codecs(o.worker, e.WorkerArgs, log.Named("codecs"))
	if err := h.readProfile(ctx, o.profile, e.lookupEnv); err != nil {
		return nil, err
	}
	starter, err := phoneproc.New(phoneproc.Options{
		Path: o.worker, Args: e.WorkerArgs, Version: phonewire.Version, Environ: e.Environ, TempDir: e.TempDir, Adopt: o.adopt, Log: log,
	})
	if err != nil {
		return nil, cannot(err)
	}
	h.starter = starter
	name, _ := e.lookupEnv("RINGMASTER_SDP_SESSION_NAME")
	h.fleet = fleet.New(starter, h.journal, fleet.Options{
		RecordingsDir: h.roots.Recordings, CapturesDir: h.roots.Captures,
		SDPSessionName: cmp.Or(o.sdpSessionName, name, "Ringmaster"),
		FilesUnder:     o.filesUnder,
		OnChange:       onChange,
		Now:            e.Now, Log: log.Named("fleet"),
	})
	h.runs = runs.NewStore(&runs.Runner{Phones: h.fleet, Fleet: h.fleet, Codecs: h.codecs, Hub: h.journal, RecordingsDir: h.roots.Recordings, CapturesDir: h.roots.Captures})
	if o.pbx.wanted {
		if err := h.startPBX(o.pbx.addr); err != nil {
			return nil, errors.Join(cannot(err), h.close(ctx))
		}
	}
	return h, nil
}

// readProfile checks the file of --profile.
func (h *house) readProfile(ctx context.Context, path string, getenv func(string) (string, bool)) error {
	if path == "" {
		return nil
	}
	profile, err := config.Load(path, config.Options{Codecs: h.codecs(ctx), Getenv: getenv})
	if err != nil {
		return invalid(err)
	}
	for _, warning := range profile.Warnings {
		h.log.Warn(warning)
	}
	h.profile = profile.Phones
	return nil
}

// startPBX starts the embedded PBX. Its users are the phones: those of the
// profile, and those that are added later.
func (h *house) startPBX(addr netip.AddrPort) error {
	if !addr.IsValid() {
		addr = pbxAddr(h.profile)
	}
	known := usersOf(h.profile)
	p, err := pbx.Listen(pbx.Config{
		Addr: addr, Log: h.log.Named("pbx"),
		Users: func(name string) (phone.Secret, bool) {
			if password, ok := known[name]; ok {
				return password, true
			}
			for _, s := range h.fleet.Accounts() {
				if s.Username == name {
					return s.Password, true
				}
			}
			return phone.Secret{}, false
		},
	})
	if err != nil {
		return err
	}
	h.pbx = p
	h.log.Info("the embedded PBX listens", "address", p.Addr())
	return nil
}

// pbxAddr is where the embedded PBX listens; "" when there is none.
func (h *house) pbxAddr() string {
	if h.pbx == nil {
		return ""
	}
	return h.pbx.Addr().String()
}

// peers names the far ends that are known.
func (h *house) peers() map[string]string {
	if h.pbx == nil {
		return nil
	}
	return map[string]string{h.pbxAddr(): "PBX"}
}

// startProfile starts the phones of --profile and gives those that failed.
func (h *house) startProfile(ctx context.Context) []fleet.Failure {
	if len(h.profile) == 0 {
		return nil
	}
	result := h.fleet.Load(ctx, h.profile, true)
	for _, f := range result.Failed {
		h.log.Error("a phone of the profile did not start", "phone_id", f.PhoneID, "error", f.Err)
	}
	for _, st := range result.Added {
		if r := st.Registration; st.Settings.Register && !r.IsRegistered {
			h.log.Warn("a phone of the profile is not registered", "phone", st.Settings.PhoneID, "registrar", st.Settings.Domain, "status", r.StatusCode, "reason", cmp.Or(r.Reason, "it has not answered"))
		}
	}
	h.log.Info("the profile is loaded", "phones", len(result.Added), "failed", len(result.Failed))
	return result.Failed
}

// close ends everything in order: the runs, whose calls the phones end; the
// phones with their calls and bindings, what is left of their processes, the
// PBX.
func (h *house) close(ctx context.Context) error {
	leaving, stop := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
	defer stop()
	h.runs.Stop()
	err := errors.Join(h.fleet.Close(leaving), h.starter.Close())
	h.runs.Wait(leaving)
	if h.pbx != nil {
		h.pbx.Close()
	}
	return err
}

// roots are where this machine keeps the server's files.
func (e Edges) roots(given config.Roots) config.Roots {
	return config.Resolve(given, config.Machine{Getenv: e.lookupEnv, Home: e.Home, Temp: e.TempDir, Usable: config.Usable})
}
