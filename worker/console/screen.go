package console

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/term"
)

// Screen is where lines come from and go to: a terminal with history and
// completion, whose prompt stays below what is printed, or plain pipes. Write
// may be called from any goroutine.
type Screen struct {
	lines *bufio.Reader // of a pipe
	mu    sync.Mutex    // one Write at a time
	out   io.Writer

	terminal *term.Terminal // nil for pipes
	fd       int
	before   *term.State
	resized  chan os.Signal
	tracking sync.WaitGroup
}

// OpenScreen makes a screen of the two. It is a terminal when both are one and
// plain is false; then it must be closed, or the terminal stays raw.
func OpenScreen(in io.Reader, out io.Writer, prompt string, plain bool) (*Screen, error) {
	stdin, inFile := in.(*os.File)
	stdout, outFile := out.(*os.File)
	if plain || !inFile || !outFile || !term.IsTerminal(int(stdin.Fd())) || !term.IsTerminal(int(stdout.Fd())) {
		return &Screen{lines: bufio.NewReader(in), out: out}, nil
	}
	s := &Screen{out: out, fd: int(stdin.Fd()), resized: make(chan os.Signal, 1)}
	before, err := term.MakeRaw(s.fd)
	if err != nil {
		return nil, fmt.Errorf("the terminal cannot be used: %w", err)
	}
	s.before = before
	s.terminal = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{stdin, stdout}, prompt)
	s.fit()
	signal.Notify(s.resized, syscall.SIGWINCH)
	s.tracking.Go(func() {
		for range s.resized {
			s.fit()
		}
	})
	return s, nil
}

// fit takes over the terminal's size. When it is not known, the last one stays.
func (s *Screen) fit() {
	if width, height, err := term.GetSize(s.fd); err == nil {
		_ = s.terminal.SetSize(width, height) // it fails when stdout does
	}
}

// Interactive reports whether this is a terminal.
func (s *Screen) Interactive() bool { return s.terminal != nil }

// ReadLine returns the next line without its end. At a terminal Ctrl-C and
// Ctrl-D are io.EOF.
func (s *Screen) ReadLine() (string, error) {
	if s.terminal != nil {
		return s.terminal.ReadLine()
	}
	line, err := s.lines.ReadString('\n')
	if err != nil && line == "" {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// Write prints whole lines, above the prompt where there is one.
func (s *Screen) Write(p []byte) (int, error) {
	if s.terminal != nil {
		return s.terminal.Write(p)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(p)
}

// Beside is where a log goes that was meant for w: above the prompt, where w is
// a terminal as well.
func (s *Screen) Beside(w io.Writer) io.Writer {
	if f, ok := w.(*os.File); ok && s.terminal != nil && term.IsTerminal(int(f.Fd())) {
		return s
	}
	return w
}

// complete makes the tab key complete words of the table.
func (s *Screen) complete(table []command) {
	if s.terminal == nil {
		return
	}
	s.terminal.AutoCompleteCallback = func(line string, pos int, key rune) (string, int, bool) {
		if key != '\t' {
			return "", 0, false
		}
		done := completeLine(table, line[:pos], filesOf)
		if done.line == line[:pos] && len(done.cands) > 0 {
			_, _ = s.Write([]byte("  " + strings.Join(done.cands, "  ") + "\n")) // it fails when the next line does
		}
		return done.line + line[pos:], len(done.line), true
	}
}

// Close gives a terminal back as it was found.
func (s *Screen) Close() error {
	if s.terminal == nil {
		return nil
	}
	signal.Stop(s.resized)
	close(s.resized)
	s.tracking.Wait()
	_, _ = io.WriteString(s.out, "\r\x1b[K") // the prompt is no use any more
	if err := term.Restore(s.fd, s.before); err != nil {
		return fmt.Errorf("the terminal cannot be set back (try stty sane): %w", err)
	}
	return nil
}
