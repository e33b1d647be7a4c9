package floors

import "strings"

// module is the prefix of our own import paths.
const module = "ringmaster/"

// floor is the table: a package may import only packages of lower floors.
// Packages below tests/ and tools/ stand outside the house: they may import
// any of it, and nothing in it may import them.
var floor = map[string]int{
	"cmd/supervisor":  9,
	"cmd/phoneworker": 9,

	"supervisor": 8,
	"worker":     8,

	"supervisor/mcpserver": 7,
	"supervisor/demo":      7,
	"supervisor/doctor":    7,
	"worker/phoneserver":   7,
	"worker/console":       7,

	"supervisor/tool": 6,
	"worker/handset":  6,

	"supervisor/load": 5,
	"supervisor/runs": 5,
	"worker/call":     5,

	"scenario":     4,
	"worker/audio": 4,

	"scenario/engine":     3,
	"scenario/schema":     3,
	"supervisor/fleet":    3,
	"supervisor/report":   3,
	"supervisor/explain":  3,
	"supervisor/pbx":      3,
	"worker/dialog":       3,
	"worker/registration": 3,
	"worker/standalone":   3,
	"worker/dtmf":         3,

	"scenario/judge":       2,
	"scenario/pattern":     2,
	"scenario/report":      2,
	"supervisor/phoneproc": 2,
	"supervisor/diagnose":  2,
	"supervisor/shelf":     2,
	"supervisor/live":      3,
	"worker/sipua":         2,
	"worker/rtpsession":    2,
	"worker/recorder":      2,
	"worker/capture":       2,

	"worker/wav":         1,
	"supervisor/hub":     1,
	"supervisor/restart": 1,
	"supervisor/callid":  1,
	"worker/callstate":   1,
	"worker/negotiate":   1,
	"worker/journal":     1,
	"scenario/spec":      1,
	"scenario/timeline":  1,
	"config":             1,
	"proto/phonewire":    1,
	"proto/siptx":        1,
	"proto/sipnet":       1,
	"proto/digest":       1,

	"proto/phonev1":     0,
	"proto/phone":       0,
	"proto/sdp":         0,
	"proto/artifact":    0,
	"loop":              0,
	"scenario/examples": 0,
	"docs":              0,
	"listen":            0,
	"worker/codec":      0,
	"worker/resample":   0,
	"worker/jitter":     0,
	"worker/tone":       0,
	"worker/quality":    0,
	"worker/ring":       0,
}

// floorTitle says in a few words what the packages of a floor do.
var floorTitle = [...]string{
	9: "the programs",
	8: "what each program is put together from",
	7: "the doors: MCP, gRPC, terminal",
	6: "the tools, and the phone",
	5: "work made of calls",
	4: "whole scenarios, and the sound clock",
	3: "who keeps something going",
	2: "one outside thing each",
	1: "decisions and records",
	0: "values, forms and arithmetic",
}

// library is a third-party module (or a part of one) and the packages that may
// import it. A name that ends in /... stands for the package and all below.
type library struct {
	prefix string
	users  []string
}

// libraries confine what is not ours. The longest prefix that fits decides; an
// import that fits none fails.
var libraries = []library{
	{"github.com/emiago/sipgo/sip", []string{"proto/siptx", "proto/sipnet", "worker/sipua", "worker/dialog", "worker/registration", "worker/standalone", "supervisor/pbx"}},
	{"github.com/icholy/digest", []string{"proto/digest"}},
	{"github.com/pion/rtp", []string{"worker/rtpsession", "worker/dtmf"}},
	{"github.com/pion/rtcp", []string{"worker/rtpsession"}},
	{"github.com/pion/srtp/v3", []string{"worker/rtpsession"}},
	{"github.com/gopacket/gopacket", []string{"supervisor/diagnose", "supervisor/shelf", "worker/capture"}},
	{"github.com/hashicorp/go-plugin", []string{"proto/phonewire", "supervisor/phoneproc", "worker/phoneserver"}},
	{"google.golang.org/grpc", []string{"proto/phonev1", "proto/phonewire", "supervisor/phoneproc", "worker/phoneserver"}},
	{"google.golang.org/protobuf", []string{"proto/phonev1", "proto/phonewire"}},
	{"github.com/mark3labs/mcp-go", []string{"supervisor/tool", "supervisor/mcpserver"}},
	{"gopkg.in/yaml.v3", []string{"config", "scenario/spec", "scenario/pattern"}},
	{"github.com/oklog/run", []string{"supervisor", "worker"}},
	// Logging is passed down from the assemblers; floors 0 and 1 do not log.
	{"github.com/hashicorp/go-hclog", []string{
		"supervisor", "supervisor/mcpserver", "supervisor/fleet", "supervisor/phoneproc", "supervisor/pbx", "supervisor/demo",
		"worker", "worker/phoneserver", "worker/handset", "worker/call", "worker/audio", "worker/standalone", "worker/sipua", "worker/capture", "proto/sipnet",
	}},
	// What the standard library does not reach of the kernel: timerfd,
	// prctl, socket options.
	{"golang.org/x/sys/unix", []string{"supervisor", "supervisor/phoneproc", "supervisor/doctor", "worker/audio", "worker/sipua", "worker/capture", "proto/sipnet", "worker/rtpsession", "config"}},
	{"golang.org/x/term", []string{"worker/console"}},
	{"golang.org/x/sync", []string{"supervisor/fleet", "supervisor/load"}},
}

// side is which of the two programs a package belongs to: worker, supervisor,
// scenario (which knows neither), or "" for what they share.
func side(pkg string) string {
	switch pkg {
	case "cmd/phoneworker":
		return "worker"
	case "cmd/supervisor":
		return "supervisor"
	}
	first, _, _ := strings.Cut(pkg, "/")
	switch first {
	case "worker", "supervisor", "scenario":
		return first
	}
	return ""
}
