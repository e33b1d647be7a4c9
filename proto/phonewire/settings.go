package phonewire

import (
	"ringmaster/proto/phone"
	pb "ringmaster/proto/phonev1"
)

// ConfigurationToWire converts c. The result holds the password in the clear:
// it must not be logged.
func ConfigurationToWire(c phone.Configuration) *pb.ConfigureRequest {
	s := c.Settings
	m := &pb.ConfigureRequest{
		Settings: &pb.Settings{
			PhoneId:          text(string(s.PhoneID)),
			Domain:           text(s.Domain),
			Username:         text(s.Username),
			Password:         text(s.Password.Reveal()),
			Realm:            text(s.Realm),
			Transport:        text(string(s.Transport)),
			LocalPort:        int64(s.LocalPort),
			Codecs:           codecsToWire(s.Codecs),
			TlsCaFile:        text(s.TLSCAFile),
			TlsCertFile:      text(s.TLSCertFile),
			TlsKeyFile:       text(s.TLSKeyFile),
			TlsInsecure:      s.TLSInsecure,
			AutoAnswer:       s.AutoAnswer,
			Srtp:             s.SRTP,
			Register:         s.Register,
			RecordingEnabled: s.RecordingEnabled,
			CaptureEnabled:   s.CaptureEnabled,
			CaptureFilter:    text(string(s.CaptureFilter)),
		},
		RecordingsDir:  text(c.RecordingsDir),
		CapturesDir:    text(c.CapturesDir),
		SdpSessionName: text(c.SDPSessionName),
		FilesUnder:     text(c.FilesUnder),
		CallIds:        blockToWire(c.CallIDs),
		LastRites:      c.LastRites,
	}
	for i := range c.Orphans {
		m.Orphans = append(m.Orphans, dialogToWire(&c.Orphans[i]))
	}
	return m
}

// ConfigurationFromWire is the inverse of ConfigurationToWire.
func ConfigurationFromWire(m *pb.ConfigureRequest) phone.Configuration {
	s := m.GetSettings()
	c := phone.Configuration{
		Settings: phone.Settings{
			PhoneID:          phone.ID(s.GetPhoneId()),
			Domain:           s.GetDomain(),
			Username:         s.GetUsername(),
			Password:         phone.NewSecret(s.GetPassword()),
			Realm:            s.GetRealm(),
			Transport:        phone.Transport(s.GetTransport()),
			LocalPort:        int(s.GetLocalPort()),
			Codecs:           codecsFromWire(s.GetCodecs()),
			TLSCAFile:        s.GetTlsCaFile(),
			TLSCertFile:      s.GetTlsCertFile(),
			TLSKeyFile:       s.GetTlsKeyFile(),
			TLSInsecure:      s.GetTlsInsecure(),
			AutoAnswer:       s.GetAutoAnswer(),
			SRTP:             s.GetSrtp(),
			Register:         s.GetRegister(),
			RecordingEnabled: s.GetRecordingEnabled(),
			CaptureEnabled:   s.GetCaptureEnabled(),
			CaptureFilter:    phone.CaptureFilter(s.GetCaptureFilter()),
		},
		RecordingsDir:  m.GetRecordingsDir(),
		CapturesDir:    m.GetCapturesDir(),
		SDPSessionName: m.GetSdpSessionName(),
		FilesUnder:     m.GetFilesUnder(),
		CallIDs:        blockFromWire(m.GetCallIds()),
		LastRites:      m.GetLastRites(),
	}
	for _, d := range m.GetOrphans() {
		c.Orphans = append(c.Orphans, *dialogFromWire(d))
	}
	return c
}

// ConfiguredToWire converts c.
func ConfiguredToWire(c phone.Configured) *pb.ConfigureResponse {
	return &pb.ConfigureResponse{LocalPort: int64(c.LocalPort)}
}

// ConfiguredFromWire is the inverse of ConfiguredToWire.
func ConfiguredFromWire(m *pb.ConfigureResponse) phone.Configured {
	return phone.Configured{LocalPort: int(m.GetLocalPort())}
}

func updateToWire(u phone.Update) *pb.Update {
	m := &pb.Update{
		AutoAnswer:       u.AutoAnswer,
		Srtp:             u.SRTP,
		RecordingEnabled: u.RecordingEnabled,
		CaptureEnabled:   u.CaptureEnabled,
	}
	if u.CaptureFilter != nil {
		filter := text(string(*u.CaptureFilter))
		m.CaptureFilter = &filter
	}
	if u.Codecs != nil {
		m.Codecs = codecsToWire(*u.Codecs)
	}
	if u.Password != nil {
		password := text(u.Password.Reveal())
		m.Password = &password
	}
	if u.Realm != nil {
		realm := text(*u.Realm)
		m.Realm = &realm
	}
	return m
}

func updateFromWire(m *pb.Update) phone.Update {
	u := phone.Update{
		AutoAnswer:       m.AutoAnswer,
		Realm:            m.Realm,
		SRTP:             m.Srtp,
		RecordingEnabled: m.RecordingEnabled,
		CaptureEnabled:   m.CaptureEnabled,
	}
	if m.CaptureFilter != nil {
		filter := phone.CaptureFilter(m.GetCaptureFilter())
		u.CaptureFilter = &filter
	}
	if m.Codecs != nil {
		codecs := codecsFromWire(m.Codecs)
		u.Codecs = &codecs
	}
	if m.Password != nil {
		password := phone.NewSecret(m.GetPassword())
		u.Password = &password
	}
	return u
}

// codecsToWire keeps nil, the default list, apart from an empty list.
func codecsToWire(names []string) *pb.CodecList {
	if names == nil {
		return &pb.CodecList{Default: true}
	}
	m := &pb.CodecList{Names: make([]string, len(names))}
	for i, n := range names {
		m.Names[i] = text(n)
	}
	return m
}

func codecsFromWire(m *pb.CodecList) []string {
	if m == nil || m.Default {
		return nil
	}
	return append([]string{}, m.Names...)
}

func blockToWire(b phone.Block) *pb.Block {
	return &pb.Block{First: int64(b.First), Count: b.Count}
}

func blockFromWire(m *pb.Block) phone.Block {
	return phone.Block{First: phone.CallID(m.GetFirst()), Count: m.GetCount()}
}
