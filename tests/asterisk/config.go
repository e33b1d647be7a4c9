package asterisk

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
)

//go:embed config
var configFiles embed.FS

// settings are the values that the configuration templates take.
type settings struct {
	Modules  string // folder of the loadable modules
	Data     string // folder of Asterisk's own documentation
	Home     string // the run's folder: everything that Asterisk writes
	Addr     string // host:port of SIP, UDP and TCP alike
	TLSAddr  string // host:port of SIP over TLS
	CertFile string // what it shows over TLS
	KeyFile  string
	CAFile   string // whom it trusts over TLS
	RTPFirst int
	RTPLast  int
	Users    []user
}

type user struct {
	Name          string
	Password      string
	Algorithm     string // of digest authentication: MD5, SHA-256
	MinExpirySecs int
	MaxExpirySecs int
	SRTP          bool   // with keys by SDES, and no call without
	ShortTag      bool   // Asterisk offers HMAC_SHA1_32
	NoListener    bool   // it is reached through the connection it has made
	Codecs        string // what Asterisk allows it; "" is all that is usual
	DirectMedia   bool   // its sound may go past Asterisk
	DTMF          string // how its digits travel; "" is rfc4733
}

// users are the accounts, all with the same password.
func users(password string) []user {
	return []user{
		{Name: "6000", Password: password, Algorithm: "MD5", MinExpirySecs: 10, MaxExpirySecs: 3600, DTMF: "info"},
		{Name: "6001", Password: password, Algorithm: "MD5", MinExpirySecs: 10, MaxExpirySecs: 3600},
		{Name: "6002", Password: password, Algorithm: "MD5", MinExpirySecs: 10, MaxExpirySecs: 3600},
		{Name: "6003", Password: password, Algorithm: "SHA-256", MinExpirySecs: 10, MaxExpirySecs: 10},
		{Name: "6004", Password: password, Algorithm: "MD5", MinExpirySecs: 10, MaxExpirySecs: 3600, SRTP: true, NoListener: true},
		{Name: "6005", Password: password, Algorithm: "MD5", MinExpirySecs: 10, MaxExpirySecs: 3600, SRTP: true, ShortTag: true},
		{Name: "6006", Password: password, Algorithm: "MD5", MinExpirySecs: 10, MaxExpirySecs: 3600, Codecs: "ulaw"},
		{Name: "6007", Password: password, Algorithm: "MD5", MinExpirySecs: 10, MaxExpirySecs: 3600, DirectMedia: true},
		{Name: "6009", Password: password, Algorithm: "MD5", MinExpirySecs: 10, MaxExpirySecs: 3600, Codecs: "ulaw:30"},
		{Name: "6008", Password: password, Algorithm: "MD5", MinExpirySecs: 10, MaxExpirySecs: 3600, DirectMedia: true},
	}
}

// write fills every template into the run's folder.
func (s settings) write() error {
	for _, dir := range []string{"etc", "db", "keys", "spool", "run", "log", "cache"} {
		if err := os.MkdirAll(filepath.Join(s.Home, dir), 0o700); err != nil {
			return err
		}
	}
	all, err := template.ParseFS(configFiles, "config/*.conf")
	if err != nil {
		return err
	}
	for _, t := range all.Templates() {
		f, err := os.OpenFile(filepath.Join(s.Home, "etc", t.Name()), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		if err := t.Execute(f, s); err != nil {
			return fmt.Errorf("%s: %w", t.Name(), err)
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}
