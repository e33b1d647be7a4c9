package supervisor

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"ringmaster/config"

	"github.com/hashicorp/go-hclog"
)

// options are the flags of every command that starts phones.
type options struct {
	profile        string
	pbx            pbxFlag
	adopt          adoptFlag
	logLevel       string
	logFormat      string
	worker         string
	sdpSessionName string
	filesUnder     string // of serve alone
	roots          config.Roots
}

// newFlags makes a command's flags, with those of options.
func newFlags(name, logLevel string, o *options) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard) // errors are returned, and help is printed by help
	f.StringVar(&o.profile, "profile", "", "start the phones of this `file`")
	f.Var(&o.pbx, "pbx", "start the embedded PBX, for the users of the profile and phones added later, at an `address` (host:port, or a port);\n"+
		"without one, where the profile's phones look for their registrar, if that is on this machine, else 127.0.0.1:5060")
	f.Var(&o.adopt, "adopt", "adopt the worker of a `phone_id=JSON` that phoneworker serve --debug printed, for a phone that a person debugs;\n"+
		"once for each such phone")
	f.StringVar(&o.logLevel, "log-level", logLevel, "how much is logged on stderr: trace, debug, info, warn, error or off")
	f.StringVar(&o.logFormat, "log-format", "text", "text or json")
	f.StringVar(&o.roots.Recordings, "recordings-dir", "", "the `folder` of recordings (RINGMASTER_RECORDINGS_DIR)")
	f.StringVar(&o.roots.Captures, "captures-dir", "", "the `folder` of captures (RINGMASTER_CAPTURES_DIR)")
	f.StringVar(&o.worker, "worker", "", "the worker `program` (phoneworker beside this one)")
	f.StringVar(&o.sdpSessionName, "sdp-session-name", "", "the `name` in the s= line of every SDP (RINGMASTER_SDP_SESSION_NAME, else Ringmaster)")
	return f
}

// serveOptions are serve's flags.
type serveOptions struct {
	options
	tools    string
	patterns folders
}

func serveFlags() (*flag.FlagSet, *serveOptions) {
	o := &serveOptions{}
	f := newFlags("serve", "info", &o.options)
	f.StringVar(&o.tools, "tools", "per-phone", "the `form` of the phones' tools: per-phone (a_make_call), or shared (phone_make_call with a phone_id)")
	f.StringVar(&o.filesUnder, "files-under", "", "confine load_phones and play_audio to files under this `folder`")
	patternsFlag(f, &o.patterns)
	return f, o
}

// errHelp is the wish for help.
var errHelp = flag.ErrHelp

func parseServe(args []string) (serveOptions, error) {
	f, o := serveFlags()
	rest, err := parse(f, args)
	if err != nil {
		return serveOptions{}, err
	}
	if len(rest) > 0 {
		return serveOptions{}, invalid(fmt.Errorf("serve takes flags only, not %q", rest[0]))
	}
	if err := oneOf("tools", o.tools, "per-phone", "shared"); err != nil {
		return serveOptions{}, err
	}
	if o.filesUnder != "" { // as this process sees it: workers may stand elsewhere
		if o.filesUnder, err = filepath.Abs(o.filesUnder); err != nil {
			return serveOptions{}, cannot(err)
		}
	}
	return *o, o.check()
}

// parse reads flags wherever they stand and gives what is none.
func parse(f *flag.FlagSet, args []string) (rest []string, err error) {
	args = withPBXAddr(args)
	for {
		err := f.Parse(args)
		switch {
		case errors.Is(err, flag.ErrHelp):
			return nil, errHelp
		case err != nil:
			return nil, invalid(fmt.Errorf("%w (supervisor %s -h lists the flags)", err, f.Name()))
		case f.NArg() == 0:
			return rest, nil
		}
		rest, args = append(rest, f.Arg(0)), f.Args()[1:]
	}
}

// check refuses values that a flag does not take.
func (o options) check() error {
	return errors.Join(
		oneOf("log-level", o.logLevel, "trace", "debug", "info", "warn", "error", "off"),
		oneOf("log-format", o.logFormat, "text", "json"))
}

func oneOf(name, value string, among ...string) error {
	if slices.Contains(among, value) {
		return nil
	}
	return invalid(fmt.Errorf("--%s must be one of %q, not %q", name, among, value))
}

// logger writes to stderr: stdout is a command's results and nothing else.
func (o options) logger(stderr io.Writer) hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{
		Name: "ringmaster", Level: hclog.LevelFromString(o.logLevel), Output: stderr, JSONFormat: o.logFormat == "json",
	})
}

// usage writes how a command is used.
func usage(e Edges, what string, f *flag.FlagSet) error {
	var b strings.Builder
	b.WriteString("Usage: supervisor " + what + "\n\n")
	f.SetOutput(&b)
	f.PrintDefaults()
	_, err := io.WriteString(e.Stdout, b.String())
	return err
}
