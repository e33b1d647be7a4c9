package phonewire

// Version is the version of both programs, which come from one build and
// refuse each other otherwise (CheckVersion). The linker sets it: see the
// Makefile.
var Version = "unknown" //nolint:gochecknoglobals // only a package variable can be set by the linker, and nothing else sets it
