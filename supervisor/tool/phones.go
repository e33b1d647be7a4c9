package tool

import (
	"cmp"
	"context"
	"fmt"

	"ringmaster/config"
	"ringmaster/proto/phone"
	"ringmaster/supervisor/fleet"
)

func phoneEntries() []entry {
	return []entry{
		define(entry{name: "list_phones", title: "List phones",
			description: "All phones with their registration, active calls, tools and worker process.",
			hints:       Hints{ReadOnly: true, Idempotent: true}}, listPhones),
		define(entry{name: "add_phone", title: "Add a phone",
			description: "Start a SIP phone and register it. Answers when the registrar has answered, after 5 s at the latest; a phone that could not register is still there (is_registered false, with the reason). The same phone_id again replaces the phone. Its tools are named <phone_id>_<action>.",
			hints:       Hints{Destructive: true, OpenWorld: true}}, addPhone),
		define(entry{name: "drop_phone", title: "Drop a phone",
			description: "End a phone's calls, de-register it and stop it. Its tools go.",
			hints:       Hints{Destructive: true, OpenWorld: true}}, dropPhone),
		define(entry{name: "restart_phone", title: "Restart a phone",
			description: "Put a new worker process in the place of a phone's, on the same port: brings back a phone that stays down after too many crashes (worker.state \"failed\"), or ends the calls of one that runs and starts it anew. Answers as add_phone does.",
			hints:       Hints{Destructive: true, OpenWorld: true}}, restartPhone),
		define(entry{name: "get_phone", title: "Get a phone",
			description: "One phone's configuration (without the password), registration, active calls, tools and worker process.",
			hints:       Hints{ReadOnly: true, Idempotent: true}}, getPhone),
		define(entry{name: "update_phone", title: "Update a phone",
			description: "Change a running phone. auto_answer, recording and capture act at once, on live calls too; codecs re-INVITE every confirmed call; password, realm and srtp register anew.",
			hints:       Hints{Destructive: true, Idempotent: true, OpenWorld: true}}, updatePhone),
	}
}

// registrationFields stand in every answer that tells of a registration.
type registrationFields struct {
	IsRegistered bool    `json:"is_registered"`
	StatusCode   *int    `json:"status_code"`
	Reason       *string `json:"reason"`
	Expires      int     `json:"expires"`
}

// registrationOf tells of a phone's registration. One that is to be there, and
// of which nothing has been heard, has that as its reason.
func registrationOf(s phone.Settings, r phone.Registration) registrationFields {
	f := registrationFields{IsRegistered: r.IsRegistered, StatusCode: orNull(r.StatusCode), Expires: r.Expires}
	if reason := clean(r.Reason, nameBound); reason != "" || r.StatusCode != 0 {
		f.Reason = &reason
	} else if s.Register {
		silence := fmt.Sprintf("%s has not answered yet", clean(s.Domain, nameBound))
		f.Reason = &silence
	}
	return f
}

type workerFields struct {
	PID      *int    `json:"pid"`
	State    string  `json:"state"`
	Restarts int     `json:"restarts"`
	UptimeS  *int64  `json:"uptime_s"`
	LastExit *string `json:"last_exit"`
	Failed   *string `json:"failed_because"`
	Lost     uint64  `json:"events_lost"`
}

func (s *Set) workerOf(w fleet.WorkerStatus) workerFields {
	f := workerFields{PID: orNull(w.PID), State: w.State, Restarts: w.Restarts, LastExit: cleanOrNull(w.LastExit), Failed: orNull(w.Failed), Lost: w.EventsLost}
	if w.PID != 0 && !w.StartedAt.IsZero() {
		up := int64(s.o.Now().Sub(w.StartedAt).Seconds())
		f.UptimeS = &up
	}
	return f
}

type phoneRow struct {
	PhoneID          phone.ID        `json:"phone_id"`
	Domain           string          `json:"domain"`
	Username         string          `json:"username"`
	AutoAnswer       bool            `json:"auto_answer"`
	Transport        phone.Transport `json:"transport"`
	LocalPort        int             `json:"local_port"`
	TransportID      int             `json:"transport_id"`
	RecordingEnabled bool            `json:"recording_enabled"`
	CaptureEnabled   bool            `json:"capture_enabled"`
	registrationFields
	ActiveCallCount int          `json:"active_call_count"`
	Tools           []string     `json:"tools"`
	Worker          workerFields `json:"worker"`
}

func (s *Set) row(ctx context.Context, st fleet.Status) phoneRow {
	return phoneRow{
		PhoneID: st.Settings.PhoneID, Domain: st.Settings.Domain, Username: st.Settings.Username,
		AutoAnswer: st.Settings.AutoAnswer, Transport: st.Settings.Transport, LocalPort: st.LocalPort, TransportID: st.TransportID,
		RecordingEnabled: st.Settings.RecordingEnabled, CaptureEnabled: st.Settings.CaptureEnabled,
		registrationFields: registrationOf(st.Settings, st.Registration),
		ActiveCallCount:    st.ActiveCalls, Tools: s.toolNames(ctx, st), Worker: s.workerOf(st.Worker),
	}
}

type phoneList struct {
	Phones     []phoneRow `json:"phones" cut:"ask get_phone for each of the others"`
	TotalCount int        `json:"total_count" count:""`
}

func listPhones(ctx context.Context, c *call, _ struct{}) (phoneList, error) {
	list := phoneList{Phones: []phoneRow{}}
	for _, st := range c.set.o.Phones.List() {
		list.Phones = append(list.Phones, c.set.row(ctx, st))
	}
	list.TotalCount = len(list.Phones)
	return list, nil
}

type addArguments struct {
	PhoneID          string   `json:"phone_id" doc:"1 to 32 characters of a-z, 0-9 and _"`
	Domain           string   `json:"domain" doc:"registrar and SIP domain: host or host:port"`
	Username         string   `json:"username"`
	Password         string   `json:"password" doc:"write-only; no tool shows it again"`
	Transport        string   `json:"transport" default:"udp" enum:"udp,tcp,tls"`
	LocalPort        int      `json:"local_port" default:"0" min:"0" max:"65535" doc:"0 takes any free port"`
	Codecs           []string `json:"codecs" doc:"in order of preference, of PCMA, PCMU, G722 and L16; null is the default list"`
	AutoAnswer       bool     `json:"auto_answer" default:"false"`
	SRTP             bool     `json:"srtp" default:"false"`
	Realm            string   `json:"realm" default:"" doc:"null or * is any"`
	Register         bool     `json:"register" default:"true" doc:"false: a phone without a registrar, reached at its local_port"`
	RecordingEnabled bool     `json:"recording_enabled" default:"false"`
	CaptureEnabled   bool     `json:"capture_enabled" default:"false"`
	CaptureFilter    string   `json:"capture_filter" default:"udp" enum:"udp,phone" doc:"udp: captures have all UDP of the machine; phone: what goes to and from this phone's own ports"`
	TLSCAFile        string   `json:"tls_ca_file" default:"" doc:"PEM file with the certificates of those whom the phone trusts to sign; null is the system's"`
	TLSCertFile      string   `json:"tls_cert_file" default:"" doc:"PEM file with the phone's own certificate, with which others can connect to it over TLS"`
	TLSKeyFile       string   `json:"tls_key_file" default:"" doc:"PEM file with the key of tls_cert_file"`
	TLSInsecure      bool     `json:"tls_insecure" default:"false" doc:"true: do not verify the far end's certificate"`
}

type addResult struct {
	PhoneID          phone.ID        `json:"phone_id"`
	Domain           string          `json:"domain"`
	Username         string          `json:"username"`
	AutoAnswer       bool            `json:"auto_answer"`
	Transport        phone.Transport `json:"transport"`
	TransportID      int             `json:"transport_id"`
	LocalPort        int             `json:"local_port"`
	Codecs           []string        `json:"codecs"`
	RecordingEnabled bool            `json:"recording_enabled"`
	CaptureEnabled   bool            `json:"capture_enabled"`
	CaptureFilter    string          `json:"capture_filter"`
	ToolsRegistered  int             `json:"tools_registered"`
	registrationFields
}

func (s *Set) added(st fleet.Status) addResult {
	return addResult{
		PhoneID: st.Settings.PhoneID, Domain: st.Settings.Domain, Username: st.Settings.Username,
		AutoAnswer: st.Settings.AutoAnswer, Transport: st.Settings.Transport, TransportID: st.TransportID, LocalPort: st.LocalPort,
		Codecs: st.Settings.Codecs, RecordingEnabled: st.Settings.RecordingEnabled, CaptureEnabled: st.Settings.CaptureEnabled,
		CaptureFilter: captureFilter(st.Settings), ToolsRegistered: len(s.actions), registrationFields: registrationOf(st.Settings, st.Registration),
	}
}

func addPhone(ctx context.Context, c *call, a addArguments) (addResult, error) {
	settings, err := c.set.settings(ctx, a)
	if err != nil {
		return addResult{}, err
	}
	c.mark(settings.PhoneID)
	st, err := c.set.o.Phones.Add(ctx, settings)
	if err != nil {
		return addResult{}, err
	}
	return c.set.added(st), nil
}

func (s *Set) settings(ctx context.Context, a addArguments) (phone.Settings, error) {
	id, err := phone.ParseID(a.PhoneID)
	if err != nil {
		return phone.Settings{}, err
	}
	if err := s.CheckPhoneID(id); err != nil {
		return phone.Settings{}, err
	}
	for _, text := range [][2]string{{"domain", a.Domain}, {"username", a.Username}} {
		if text[1] == "" {
			return phone.Settings{}, phone.Errorf(phone.Invalid, "%s is empty: phone %s needs one", text[0], id)
		}
	}
	if err := config.CheckDomain(a.Domain); err != nil {
		return phone.Settings{}, err
	}
	for _, text := range [][2]string{{"username", a.Username}, {"password", a.Password}, {"realm", a.Realm}} {
		if err := config.CheckText(text[0], text[1]); err != nil {
			return phone.Settings{}, err
		}
	}
	if err := s.checkCodecs(ctx, a.Codecs); err != nil {
		return phone.Settings{}, err
	}
	return phone.Settings{
		PhoneID: id, Domain: a.Domain, Username: a.Username, Password: phone.NewSecret(a.Password), Realm: config.Realm(a.Realm),
		Transport: phone.Transport(a.Transport), LocalPort: a.LocalPort, Codecs: a.Codecs,
		AutoAnswer: a.AutoAnswer, SRTP: a.SRTP, Register: a.Register,
		RecordingEnabled: a.RecordingEnabled, CaptureEnabled: a.CaptureEnabled, CaptureFilter: phone.CaptureFilter(a.CaptureFilter),
		TLSCAFile: a.TLSCAFile, TLSCertFile: a.TLSCertFile, TLSKeyFile: a.TLSKeyFile, TLSInsecure: a.TLSInsecure,
	}, nil
}

// captureFilter is the filter of a phone's captures, by its name.
func captureFilter(s phone.Settings) string { return string(cmp.Or(s.CaptureFilter, phone.CaptureUDP)) }

// checkCodecs asks for the codecs built in only where a list is to be checked.
func (s *Set) checkCodecs(ctx context.Context, codecs []string) error {
	if codecs == nil {
		return nil
	}
	return config.CheckCodecs(codecs, s.o.Codecs(ctx))
}

type dropArguments struct {
	PhoneID     string `json:"phone_id"`
	HangupCalls bool   `json:"hangup_calls" default:"true" doc:"false skips the BYE, as in a power cut"`
}

type dropResult struct {
	PhoneID      phone.ID `json:"phone_id"`
	ToolsRemoved int      `json:"tools_removed"`
}

func dropPhone(ctx context.Context, c *call, a dropArguments) (dropResult, error) {
	id, err := c.set.known(a.PhoneID)
	if err != nil {
		return dropResult{}, err
	}
	c.mark(id)
	if err := c.set.o.Phones.Drop(ctx, id, a.HangupCalls); err != nil {
		return dropResult{}, err
	}
	return dropResult{PhoneID: id, ToolsRemoved: len(c.set.actions)}, nil
}

type restartResult struct {
	PhoneID         phone.ID `json:"phone_id"`
	LocalPort       int      `json:"local_port"`
	TransportID     int      `json:"transport_id"`
	ToolsRegistered int      `json:"tools_registered"`
	registrationFields
	Worker workerFields `json:"worker"`
}

func restartPhone(ctx context.Context, c *call, a phoneArgument) (restartResult, error) {
	id, err := c.set.known(a.PhoneID)
	if err != nil {
		return restartResult{}, err
	}
	c.mark(id)
	st, err := c.set.o.Phones.Restart(ctx, id)
	if err != nil {
		return restartResult{}, err
	}
	return restartResult{
		PhoneID: id, LocalPort: st.LocalPort, TransportID: st.TransportID, ToolsRegistered: len(c.set.actions),
		registrationFields: registrationOf(st.Settings, st.Registration), Worker: c.set.workerOf(st.Worker),
	}, nil
}

type phoneResult struct {
	PhoneID          phone.ID        `json:"phone_id"`
	Domain           string          `json:"domain"`
	Username         string          `json:"username"`
	Realm            *string         `json:"realm"`
	Transport        phone.Transport `json:"transport"`
	LocalPort        int             `json:"local_port"`
	TransportID      int             `json:"transport_id"`
	Codecs           []string        `json:"codecs"`
	AutoAnswer       bool            `json:"auto_answer"`
	SRTP             bool            `json:"srtp"`
	Register         bool            `json:"register"`
	RecordingEnabled bool            `json:"recording_enabled"`
	CaptureEnabled   bool            `json:"capture_enabled"`
	CaptureFilter    string          `json:"capture_filter"`
	TLSCAFile        *string         `json:"tls_ca_file"`
	TLSCertFile      *string         `json:"tls_cert_file"`
	TLSKeyFile       *string         `json:"tls_key_file"`
	TLSInsecure      bool            `json:"tls_insecure"`
	registrationFields
	ActiveCalls []callFields `json:"active_calls" cut:"list_calls has them in short, get_call_info each call"`
	Tools       []string     `json:"tools"`
	Worker      workerFields `json:"worker"`
}

func getPhone(ctx context.Context, c *call, a phoneArgument) (phoneResult, error) {
	id, err := phone.ParseID(a.PhoneID)
	if err != nil {
		return phoneResult{}, err
	}
	st, err := c.set.o.Phones.Status(id)
	if err != nil {
		return phoneResult{}, err
	}
	s := st.Settings
	result := phoneResult{
		PhoneID: id, Domain: s.Domain, Username: s.Username, Realm: orNull(s.Realm), Transport: s.Transport,
		LocalPort: st.LocalPort, TransportID: st.TransportID, Codecs: s.Codecs, AutoAnswer: s.AutoAnswer, SRTP: s.SRTP, Register: s.Register,
		RecordingEnabled: s.RecordingEnabled, CaptureEnabled: s.CaptureEnabled, CaptureFilter: captureFilter(s),
		registrationFields: registrationOf(st.Settings, st.Registration),
		TLSCAFile:          orNull(s.TLSCAFile), TLSCertFile: orNull(s.TLSCertFile), TLSKeyFile: orNull(s.TLSKeyFile), TLSInsecure: s.TLSInsecure,
		ActiveCalls: []callFields{}, Tools: c.set.toolNames(ctx, st), Worker: c.set.workerOf(st.Worker),
	}
	out, err := c.set.o.Phones.Do(ctx, id, phone.ListCalls{})
	if err != nil && !isKind(err, phone.Gone) { // a phone whose worker is gone has no calls
		return phoneResult{}, err
	}
	for _, info := range out.Calls {
		if info.State != phone.StateDisconnected {
			result.ActiveCalls = append(result.ActiveCalls, callFieldsOf(info))
		}
	}
	return result, nil
}

type updateArguments struct {
	PhoneID          string   `json:"phone_id"`
	AutoAnswer       *bool    `json:"auto_answer"`
	Codecs           []string `json:"codecs" doc:"in order of preference; live calls are re-INVITEd"`
	Password         *string  `json:"password"`
	Realm            *string  `json:"realm" doc:"* is any"`
	SRTP             *bool    `json:"srtp"`
	RecordingEnabled *bool    `json:"recording_enabled"`
	CaptureEnabled   *bool    `json:"capture_enabled"`
	CaptureFilter    *string  `json:"capture_filter" enum:"udp,phone" doc:"acts at once, on captures that are open too"`
}

type updateResult struct {
	PhoneID          phone.ID `json:"phone_id"`
	Reregistered     bool     `json:"reregistered"`
	Codecs           []string `json:"codecs"`
	RecordingEnabled bool     `json:"recording_enabled"`
	CaptureEnabled   bool     `json:"capture_enabled"`
	CaptureFilter    string   `json:"capture_filter"`
	CaptureMode      *string  `json:"capture_mode"` // null when no call is captured now
	registrationFields
	// One of the few fields that are left out: see the contract, update_phone.
	AffectedCallIDs      *[]phone.CallID `json:"affected_call_ids,omitempty"`
	CodecReinvitedCallID *[]phone.CallID `json:"codec_reinvited_call_ids,omitempty"`
}

func updatePhone(ctx context.Context, c *call, a updateArguments) (updateResult, error) {
	id, err := c.set.known(a.PhoneID)
	if err != nil {
		return updateResult{}, err
	}
	if err := c.set.checkCodecs(ctx, a.Codecs); err != nil {
		return updateResult{}, err
	}
	for name, text := range map[string]*string{"password": a.Password, "realm": a.Realm} {
		if text == nil {
			continue
		}
		if err := config.CheckText(name, *text); err != nil {
			return updateResult{}, err
		}
	}
	m := c.mark(id)
	st, out, err := c.set.o.Phones.Update(ctx, id, a.update())
	if err != nil {
		return updateResult{}, err
	}
	c.accepted(m, out)
	var updated phone.Updated
	if out.Updated != nil {
		updated = *out.Updated
	}
	if updated.CodecReinviteError != "" {
		return updateResult{}, phone.Errorf(phone.Refused, "the codecs of %s are set, but %s", id, updated.CodecReinviteError)
	}
	registration := st.Registration
	if out.Registration != nil {
		registration = *out.Registration
	}
	result := updateResult{
		PhoneID: id, Reregistered: updated.Reregistered, Codecs: st.Settings.Codecs,
		RecordingEnabled: st.Settings.RecordingEnabled, CaptureEnabled: st.Settings.CaptureEnabled, CaptureFilter: captureFilter(st.Settings),
		registrationFields: registrationOf(st.Settings, registration),
	}
	if out.Capture != nil {
		result.CaptureMode = &out.Capture.Mode
	}
	if a.RecordingEnabled != nil {
		result.AffectedCallIDs = listed(updated.AffectedCallIDs)
	}
	if a.Codecs != nil {
		result.CodecReinvitedCallID = listed(updated.CodecReinvitedIDs)
	}
	return result, nil
}

func (a updateArguments) update() phone.Update {
	u := phone.Update{AutoAnswer: a.AutoAnswer, SRTP: a.SRTP, RecordingEnabled: a.RecordingEnabled, CaptureEnabled: a.CaptureEnabled}
	if a.CaptureFilter != nil {
		filter := phone.CaptureFilter(*a.CaptureFilter)
		u.CaptureFilter = &filter
	}
	if a.Codecs != nil {
		u.Codecs = &a.Codecs
	}
	if a.Password != nil {
		secret := phone.NewSecret(*a.Password)
		u.Password = &secret
	}
	if a.Realm != nil {
		realm := config.Realm(*a.Realm)
		u.Realm = &realm
	}
	return u
}

// listed is a list that is there, though it may be empty.
func listed(ids []phone.CallID) *[]phone.CallID {
	if ids == nil {
		ids = []phone.CallID{}
	}
	return &ids
}
