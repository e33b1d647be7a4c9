package phone

// Transport is how a phone's SIP travels.
type Transport string

// The transports a phone can use.
const (
	UDP Transport = "udp"
	TCP Transport = "tcp"
	TLS Transport = "tls"
)

// CaptureFilter says which packets a phone's captures keep.
type CaptureFilter string

// The filters.
const (
	CaptureUDP   CaptureFilter = "udp"   // all UDP of the machine
	CapturePhone CaptureFilter = "phone" // what goes to and from the phone's own ports: SIP, and RTP and RTCP of its calls
)

// Settings is one phone as its user configures it (a profile entry, or the
// arguments of add_phone). The zero value is not usable: PhoneID, Domain and
// Username are required and Transport must be set.
type Settings struct {
	PhoneID   ID
	Domain    string // registrar and SIP domain: a host, or host:port
	Username  string
	Password  Secret
	Realm     string // "" answers a challenge of any realm
	Transport Transport
	LocalPort int      // 0 lets the kernel choose
	Codecs    []string // as the user wrote them; nil means the default list

	// Files in PEM form, for TLS; "" is none.
	TLSCAFile   string // certificates of those that sign what the far end shows; "" means the system's
	TLSCertFile string // the phone's own certificate; without it nobody can connect to the phone over TLS
	TLSKeyFile  string // the key of TLSCertFile: both or neither
	TLSInsecure bool   // do not ask who the far end is

	AutoAnswer       bool
	SRTP             bool
	Register         bool
	RecordingEnabled bool
	CaptureEnabled   bool
	CaptureFilter    CaptureFilter // "" is CaptureUDP
}

// Configuration is what a worker is told once, before it may do anything:
// its settings, and what the server decided for it.
type Configuration struct {
	Settings

	RecordingsDir  string // root; the phone writes below RecordingsDir/PhoneID
	CapturesDir    string // root; likewise
	SDPSessionName string // the s= line
	FilesUnder     string // the folder whose files alone are played; "" is any
	CallIDs        Block  // the first block of call ids

	// Orphans are the dialogs of a worker that has died: they are ended
	// before anything else is done.
	Orphans []Dialog
	// LastRites makes a phone for that alone: it registers nowhere and takes
	// no calls. Its Shutdown removes the binding of that worker and waits for
	// the answers.
	LastRites bool
}

// Configured is a worker's answer to Configure: the socket is bound and the
// phone works. Registration goes on by itself and is reported by events.
type Configured struct {
	LocalPort int // the bound port
}

// Update changes a running phone. A nil field is left as it is.
type Update struct {
	AutoAnswer       *bool
	Codecs           *[]string // pointer to nil: back to the default list
	Password         *Secret
	Realm            *string
	SRTP             *bool
	RecordingEnabled *bool
	CaptureEnabled   *bool
	CaptureFilter    *CaptureFilter
}

// Registration is what the phone last learned from its registrar.
type Registration struct {
	IsRegistered bool
	StatusCode   int    // final SIP status of the last REGISTER; 0 when there was none
	Reason       string // its reason phrase, or why there was no answer
	Expires      int    // seconds granted; 0 when not registered
}
