package worker

import (
	"flag"
	"fmt"
	"io"
	"slices"

	"github.com/hashicorp/go-hclog"
)

// logOptions say what a phone that is used by hand logs. Under a supervisor
// the supervisor says it, and writes it.
type logOptions struct{ level, format string }

func (o *logOptions) flags(f *flag.FlagSet) {
	f.StringVar(&o.level, "log-level", "info", "how much is logged on stderr: trace, debug, info, warn, error or off")
	f.StringVar(&o.format, "log-format", "text", "text or json")
}

func (o *logOptions) check() error {
	if levels := []string{"trace", "debug", "info", "warn", "error", "off"}; !slices.Contains(levels, o.level) {
		return invalid(fmt.Errorf("--log-level must be one of %q, not %.40q", levels, o.level))
	}
	if formats := []string{"text", "json"}; !slices.Contains(formats, o.format) {
		return invalid(fmt.Errorf("--log-format must be one of %q, not %.40q", formats, o.format))
	}
	return nil
}

func (o *logOptions) logger(out io.Writer) hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Name: "phone", Level: hclog.LevelFromString(o.level), Output: out, JSONFormat: o.format == "json"})
}
