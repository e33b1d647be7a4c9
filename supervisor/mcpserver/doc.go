// Package mcpserver speaks MCP with a client: sessions, the transport over
// stdin and stdout, and which tools the client sees. What the tools do is
// supervisor/tool's.
//
//	stdin ──► reader ──► a goroutine per request ──► queue ──► writer ──► stdout
//	                                    notifications ──►┘
//
// Nothing but the writer ever waits for stdout: clients sleep without reading.
package mcpserver
