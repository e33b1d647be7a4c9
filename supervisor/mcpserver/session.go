package mcpserver

import (
	"sync"
	"sync/atomic"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// noticeBound is how many notifications may wait for the pump, which does not
// wait for anything: mcp-go drops what finds no room.
const noticeBound = 4096

// session is the one client at the other end of stdin and stdout.
type session struct {
	id          string
	notices     chan mcp.JSONRPCNotification
	initialized atomic.Bool
	handshake   atomic.Bool // the client said initialize: a revision before 2026-07-28

	mu     sync.Mutex
	filter *mcp.SubscriptionFilter
	info   mcp.Implementation
	caps   mcp.ClientCapabilities
}

var (
	_ server.SessionWithClientInfo         = (*session)(nil)
	_ server.SessionWithSubscriptionFilter = (*session)(nil)
)

func newSession(id string) *session {
	return &session{id: id, notices: make(chan mcp.JSONRPCNotification, noticeBound)}
}

func (s *session) SessionID() string                                   { return s.id }
func (s *session) Initialize()                                         { s.initialized.Store(true) }
func (s *session) Initialized() bool                                   { return s.initialized.Load() }
func (s *session) NotificationChannel() chan<- mcp.JSONRPCNotification { return s.notices }

// SetProtocolVersion is called by initialize alone.
func (s *session) SetProtocolVersion(string) { s.handshake.Store(true) }

// SetSubscriptionFilter notes what a subscriptions/listen asked for.
func (s *session) SetSubscriptionFilter(f mcp.SubscriptionFilter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.filter = &f
	if f.IsEmpty() {
		s.filter = nil
	}
}

// SubscriptionFilter is what the client wants to be told. Without a handshake
// nothing is sent that was not asked for (MCP 2026-07-28, SEP-2575).
func (s *session) SubscriptionFilter() (mcp.SubscriptionFilter, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.filter != nil {
		return *s.filter, true
	}
	return mcp.SubscriptionFilter{}, !s.handshake.Load()
}

func (s *session) GetClientInfo() mcp.Implementation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.info
}

func (s *session) SetClientInfo(i mcp.Implementation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.info = i
}

func (s *session) GetClientCapabilities() mcp.ClientCapabilities {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.caps
}

func (s *session) SetClientCapabilities(c mcp.ClientCapabilities) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.caps = c
}
