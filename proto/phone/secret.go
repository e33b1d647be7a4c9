package phone

import "log/slog"

const dots = "••••••"

// Secret is a string that must not be shown: every way of printing, logging
// or marshalling it gives dots. Only Reveal gives the value, and only where it
// is used: computing a digest, or handing it to the worker.
type Secret struct{ value string }

// NewSecret wraps value.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal returns the value.
func (s Secret) Reveal() string { return s.value }

// String gives dots.
func (s Secret) String() string { return dots }

// GoString gives dots, for %#v.
func (s Secret) GoString() string { return dots }

// LogValue gives dots, for log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(dots) }

// MarshalText gives dots, for encoding/json and its like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(dots), nil }
