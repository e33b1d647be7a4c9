package fakeworker

import (
	"flag"
	"io"
	"time"
)

// Knobs are the ways in which a fake worker misbehaves. The zero value, with
// Registrar set, behaves. As a program's arguments they are flags of the same
// meaning.
type Knobs struct {
	// -version V: the program version that it claims.
	Version string
	// -stall-handshake: it starts and says nothing.
	StallHandshake bool
	// -exit-early: it ends with status 4 before the handshake.
	ExitEarly bool
	// -stall-configure: Configure never answers.
	StallConfigure bool
	// -die-in-configure: it ends with status 3, and words on stderr, in Configure.
	DieInConfigure bool
	// -die-after D: it ends with status 3, and words on stderr, D after Configure.
	DieAfter time.Duration
	// -panic-on-dtmf: SendDTMF makes it panic.
	PanicOnDTMF bool
	// -hang-after D: D after Configure nothing is answered any more.
	HangAfter time.Duration
	// -flood N: Configure journals N events "user.flood" with a rising "n".
	Flood int
	// -ignore-shutdown: Shutdown never answers.
	IgnoreShutdown bool
	// -answer-after D: commands are answered D late.
	AnswerAfter time.Duration
	// -registrar accepts|refuses|silent: how the first and each other
	// REGISTER ends.
	Registrar string
	// -dialogs: the journal has a dialog for each call, and orphans end as
	// soon as they are given.
	Dialogs bool
	// -child: Configure starts a child process that holds stderr open.
	Child bool
	// -ignore-stdin, -ignore-sigterm: it does not end by that.
	IgnoreStdin   bool
	IgnoreSIGTERM bool
}

// parse reads Knobs from a program's arguments.
func parse(args []string, stderr io.Writer) (Knobs, error) {
	var k Knobs
	f := flag.NewFlagSet("fakeworker", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&k.Version, "version", "", "program version")
	f.BoolVar(&k.StallHandshake, "stall-handshake", false, "start and say nothing")
	f.BoolVar(&k.ExitEarly, "exit-early", false, "end before the handshake")
	f.BoolVar(&k.StallConfigure, "stall-configure", false, "never answer Configure")
	f.BoolVar(&k.DieInConfigure, "die-in-configure", false, "end in Configure")
	f.DurationVar(&k.DieAfter, "die-after", 0, "end this long after Configure")
	f.BoolVar(&k.PanicOnDTMF, "panic-on-dtmf", false, "panic in SendDTMF")
	f.DurationVar(&k.HangAfter, "hang-after", 0, "answer nothing from this long after Configure")
	f.IntVar(&k.Flood, "flood", 0, "journal this many events in Configure")
	f.BoolVar(&k.IgnoreShutdown, "ignore-shutdown", false, "never answer Shutdown")
	f.DurationVar(&k.AnswerAfter, "answer-after", 0, "answer commands this late")
	f.StringVar(&k.Registrar, "registrar", "accepts", "accepts, refuses or silent")
	f.BoolVar(&k.Dialogs, "dialogs", false, "journal dialogs")
	f.BoolVar(&k.Child, "child", false, "start a child that holds stderr open")
	f.BoolVar(&k.IgnoreStdin, "ignore-stdin", false, "do not end with standard input")
	f.BoolVar(&k.IgnoreSIGTERM, "ignore-sigterm", false, "do not end by SIGTERM")
	return k, f.Parse(args)
}
