package worker

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"ringmaster/config"
	"ringmaster/proto/phone"
	"ringmaster/worker/codec"
	"ringmaster/worker/console"
	"ringmaster/worker/handset"
)

// runOptions are run's flags.
type runOptions struct {
	profile        string
	phone          string
	json           bool
	sip            bool
	sdpSessionName string
	roots          config.Roots
	log            logOptions
}

func runFlags() (*flag.FlagSet, *runOptions) {
	o := &runOptions{}
	f := newFlags("run")
	f.StringVar(&o.profile, "profile", "", "the `file` with the phone (RINGMASTER_PROFILE)")
	f.StringVar(&o.phone, "phone", "", "the `phone_id` to be; not needed where the profile has one phone")
	f.BoolVar(&o.json, "json", false, "print an object a line")
	f.BoolVar(&o.sip, "sip", false, "print every SIP message")
	f.StringVar(&o.sdpSessionName, "sdp-session-name", "", "the `name` in the s= line of every SDP (RINGMASTER_SDP_SESSION_NAME, else Ringmaster)")
	f.StringVar(&o.roots.Recordings, "recordings-dir", "", "the `folder` of recordings (RINGMASTER_RECORDINGS_DIR)")
	f.StringVar(&o.roots.Captures, "captures-dir", "", "the `folder` of captures (RINGMASTER_CAPTURES_DIR)")
	o.log.flags(f)
	return f, o
}

// run is the phone at a prompt.
func run(ctx context.Context, e Edges, args []string) (err error) {
	f, o := runFlags()
	if asked, err := parse(f, args); err != nil || asked {
		return helpOr(e, err)
	}
	if err := o.log.check(); err != nil {
		return err
	}
	roots := config.Resolve(o.roots, config.Machine{Getenv: e.Environ.Lookup, Home: e.Home, Temp: e.TempDir, Usable: config.Usable})
	settings, warnings, err := o.settings(e, cmp.Or(o.profile, roots.Profile))
	if err != nil {
		return invalid(err)
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer stop()
	// One phone's work fits one core, and its 20 ms clock is steadier so.
	runtime.GOMAXPROCS(1)

	screen, err := console.OpenScreen(e.Stdin, e.Stdout, string(settings.PhoneID)+"> ", o.json)
	if err != nil {
		return cannot(err)
	}
	defer func() {
		if closeErr := screen.Close(); err == nil && closeErr != nil {
			err = closeErr
		}
	}()
	log := o.log.logger(screen.Beside(e.Stderr))
	for _, warning := range warnings {
		log.Warn(warning)
	}
	p := handset.New("Ringmaster/"+e.Version, log)
	defer p.Close()
	name, _ := e.Environ.Lookup("RINGMASTER_SDP_SESSION_NAME")
	if _, err := p.Configure(ctx, phone.Configuration{
		Settings: settings, RecordingsDir: roots.Recordings, CapturesDir: roots.Captures,
		SDPSessionName: cmp.Or(o.sdpSessionName, name, "Ringmaster"),
		CallIDs:        phone.Block{First: 0, Count: math.MaxInt64},
	}); err != nil {
		return cannot(err)
	}
	failed, err := console.Run(ctx, console.Options{
		Phone: p, ID: settings.PhoneID, Screen: screen, JSON: o.json, SIP: o.sip, LeaveWithin: leaveWithin,
	})
	if err == nil && failed > 0 && !screen.Interactive() {
		err = fmt.Errorf("%d of the commands failed", failed)
	}
	return err
}

// settings finds the phone in its profile.
func (o *runOptions) settings(e Edges, path string) (phone.Settings, []string, error) {
	profile, err := config.Load(path, config.Options{Codecs: codec.Names(), Getenv: e.Environ.Lookup})
	if err != nil {
		return phone.Settings{}, nil, err
	}
	if o.phone == "" && len(profile.Phones) == 1 {
		return profile.Phones[0], profile.Warnings, nil
	}
	ids := make([]string, len(profile.Phones))
	for i, s := range profile.Phones {
		if string(s.PhoneID) == o.phone {
			return s, profile.Warnings, nil
		}
		ids[i] = string(s.PhoneID)
	}
	if o.phone == "" {
		return phone.Settings{}, nil, fmt.Errorf("say which phone of %s to be with --phone: there are %s", path, strings.Join(ids, ", "))
	}
	return phone.Settings{}, nil, fmt.Errorf("profile %s has no phone %.40q: there are %s", path, o.phone, strings.Join(ids, ", "))
}

func helpOr(e Edges, err error) error {
	if err != nil {
		return err
	}
	return help(e)
}
