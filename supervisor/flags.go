package supervisor

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"

	"ringmaster/config"

	"github.com/hashicorp/go-hclog"
)

// serveOptions are serve's flags.
type serveOptions struct {
	profile        string
	tools          string
	logLevel       string
	logFormat      string
	filesUnder     string
	worker         string
	sdpSessionName string
	roots          config.Roots
}

func serveFlags() (*flag.FlagSet, *serveOptions) {
	o := &serveOptions{}
	f := flag.NewFlagSet("serve", flag.ContinueOnError)
	f.SetOutput(io.Discard) // errors are returned, and help is printed by help
	f.StringVar(&o.profile, "profile", "", "load the phones of this `file` at start")
	f.StringVar(&o.tools, "tools", "per-phone", "the `form` of the phones' tools: per-phone (a_make_call), or shared (phone_make_call with a phone_id)")
	f.StringVar(&o.logLevel, "log-level", "info", "how much is logged on stderr: trace, debug, info, warn, error or off")
	f.StringVar(&o.logFormat, "log-format", "text", "text or json")
	f.StringVar(&o.filesUnder, "files-under", "", "confine load_phones and play_audio to files under this `folder`")
	f.StringVar(&o.roots.Recordings, "recordings-dir", "", "the `folder` of recordings (RINGMASTER_RECORDINGS_DIR)")
	f.StringVar(&o.roots.Captures, "captures-dir", "", "the `folder` of captures (RINGMASTER_CAPTURES_DIR)")
	f.StringVar(&o.worker, "worker", "", "the worker `program` (phoneworker beside this one)")
	f.StringVar(&o.sdpSessionName, "sdp-session-name", "", "the `name` in the s= line of every SDP (RINGMASTER_SDP_SESSION_NAME, else Ringmaster)")
	return f, o
}

// errHelp is the wish for help.
var errHelp = flag.ErrHelp

func parseServe(args []string) (serveOptions, error) {
	f, o := serveFlags()
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		return serveOptions{}, errHelp
	} else if err != nil {
		return serveOptions{}, invalid(fmt.Errorf("%w (supervisor help lists the flags)", err))
	}
	if f.NArg() > 0 {
		return serveOptions{}, invalid(fmt.Errorf("serve takes flags only, not %q", f.Arg(0)))
	}
	for _, choice := range []struct {
		flag, value string
		among       []string
	}{
		{"tools", o.tools, []string{"per-phone", "shared"}},
		{"log-level", o.logLevel, []string{"trace", "debug", "info", "warn", "error", "off"}},
		{"log-format", o.logFormat, []string{"text", "json"}},
	} {
		if !slices.Contains(choice.among, choice.value) {
			return serveOptions{}, invalid(fmt.Errorf("--%s must be one of %q, not %q", choice.flag, choice.among, choice.value))
		}
	}
	return *o, nil
}

// logger writes to stderr: stdout is MCP and nothing else.
func (o serveOptions) logger(stderr io.Writer) hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{
		Name: "ringmaster", Level: hclog.LevelFromString(o.logLevel), Output: stderr, JSONFormat: o.logFormat == "json",
	})
}
