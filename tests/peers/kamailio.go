package peers

import (
	"embed"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
)

// Kamailio is one Kamailio, registrar and proxy, over UDP and TCP. Every user
// has the same password. It rings all contacts of a user at once; a call to
// the user hunt goes to b, and to c when b refuses it.
type Kamailio struct {
	Addr     string // what a phone takes as its domain
	Password string
}

//go:embed kamailio.cfg
var kamailioConfig embed.FS

// StartKamailio starts one.
func StartKamailio(t testing.TB) *Kamailio {
	t.Helper()
	need(t, "kamailio")
	home := t.TempDir()
	port := freePorts(t, 1)
	k := &Kamailio{Addr: fmt.Sprintf("%s:%d", host, port), Password: "open sesame"}
	config := template.Must(template.ParseFS(kamailioConfig, "kamailio.cfg"))
	var text strings.Builder
	err := config.Execute(&text, map[string]any{"Host": host, "Port": port, "Password": k.Password, "Modules": kamailioModules()})
	if err != nil {
		t.Fatal(err)
	}
	// -DD stays in the foreground with its children, all of one process group; a little memory is enough.
	p := run(t, home, "kamailio", "-f", write(t, home, "kamailio.cfg", text.String()), "-DD", "-E", "-m", "16", "-M", "4", "-w", home, "-Y", home)
	p.listens("udp", port)
	p.listens("tcp", port)
	return k
}

// URI is where a user is called.
func (k *Kamailio) URI(user string) string { return "sip:" + user + "@" + k.Addr }

// kamailioModules is where Debian has put the modules.
func kamailioModules() string {
	if found, _ := filepath.Glob("/usr/lib/*/kamailio/modules"); len(found) > 0 {
		return found[0]
	}
	return "/usr/lib/kamailio/modules"
}
