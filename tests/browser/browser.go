// Package browser opens pages in a real, headless Chromium and tells what
// became of them: what it complained of, what it asked the network for, how the
// page looks.
package browser

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a page may take to load, and the browser to answer.
const patience = 60 * time.Second

// needed is the variable that makes a missing browser a fault; `make interop`
// sets it, after it has installed one.
const needed = "RINGMASTER_BROWSER"

// Wanted says whether pages are to be shown to a browser: where one is
// installed, and where one has to be.
func Wanted() bool {
	_, ok := find()
	return ok || os.Getenv(needed) != ""
}

// find tells where the browser is; not ok when it is not installed.
func find() (path string, ok bool) {
	path, err := exec.LookPath("chromium")
	return path, err == nil
}

// Page is a page in a browser of its own.
type Page struct {
	t       testing.TB
	cmd     *exec.Cmd
	out     *os.File // to the browser
	session string

	mu      sync.Mutex
	next    int
	waiting map[int]chan answer
	fault   error
	loaded  chan struct{}

	complaints []string // console messages, exceptions, what the browser blocked
	requests   []string // URLs
}

type answer struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// Open starts a browser on an empty page. It ends with the test.
func Open(t testing.TB) *Page {
	t.Helper()
	program, ok := find()
	if !ok {
		t.Fatal("chromium is not installed: run scripts/install-peers")
	}
	read3, write3, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read4, write4, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &Page{t: t, out: write3, waiting: map[int]chan answer{}, loaded: make(chan struct{}, 8)}
	// The protocol of the developer tools, over two pipes: JSON ended by NUL.
	p.cmd = exec.Command(program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe",
		"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
		"--mute-audio", "--hide-scrollbars", "--user-data-dir="+t.TempDir(), "about:blank")
	p.cmd.ExtraFiles = []*os.File{read3, write4}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read3.Close()
	write4.Close()
	ended := make(chan struct{})
	go func() { defer close(ended); p.read(read4) }()
	t.Cleanup(func() {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		_ = p.cmd.Wait()
		<-ended
		read4.Close()
		write3.Close()
	})
	var target struct{ TargetID string }
	p.do("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	p.do("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	p.session = attached.SessionID
	for _, domain := range []string{"Page", "Network", "Runtime", "Log"} {
		p.do(domain+".enable", map[string]any{}, nil)
	}
	return p
}

func (p *Page) read(from *os.File) {
	r := bufio.NewReaderSize(from, 1<<20)
	for {
		raw, err := r.ReadBytes(0)
		if err != nil {
			p.mu.Lock()
			p.fault = errors.New("the browser has ended")
			for id, w := range p.waiting {
				close(w)
				delete(p.waiting, id)
			}
			p.mu.Unlock()
			return
		}
		var a answer
		if json.Unmarshal(bytes.TrimSuffix(raw, []byte{0}), &a) == nil {
			p.take(a)
		}
	}
}

func (p *Page) take(a answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.waiting[a.ID]; a.ID > 0 && w != nil {
		delete(p.waiting, a.ID)
		w <- a
		return
	}
	switch a.Method {
	case "Page.loadEventFired":
		select {
		case p.loaded <- struct{}{}:
		default:
		}
	case "Network.requestWillBeSent":
		var e struct{ Request struct{ URL string } }
		if json.Unmarshal(a.Params, &e) == nil {
			p.requests = append(p.requests, e.Request.URL)
		}
	case "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded":
		p.complaints = append(p.complaints, string(a.Params))
	}
}

// do gives a command and takes its result.
func (p *Page) do(method string, params map[string]any, result any) {
	p.t.Helper()
	p.mu.Lock()
	p.next++
	id, w := p.next, make(chan answer, 1)
	p.waiting[id] = w
	fault := p.fault
	p.mu.Unlock()
	if fault != nil {
		p.t.Fatal(fault)
	}
	message := map[string]any{"id": id, "method": method, "params": params}
	if p.session != "" {
		message["sessionId"] = p.session
	}
	raw, err := json.Marshal(message)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.out.Write(append(raw, 0)); err != nil {
		p.t.Fatal(err)
	}
	select {
	case a, ok := <-w:
		if !ok || a.Error != nil {
			p.t.Fatalf("%s: %v, %+v", method, p.fault, a.Error)
		}
		if result != nil {
			if err := json.Unmarshal(a.Result, result); err != nil {
				p.t.Fatalf("%s: %v", method, err)
			}
		}
	case <-time.After(patience):
		p.t.Fatalf("%s: no answer within %v", method, patience)
	}
}

// Load opens a file in a window of that width, in light or dark colours, and
// returns when it is there.
func (p *Page) Load(file string, width int, dark bool) {
	p.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	p.do("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
	p.do("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false}, nil)
	for len(p.loaded) > 0 {
		<-p.loaded
	}
	p.do("Page.navigate", map[string]any{"url": "file://" + file}, nil)
	select {
	case <-p.loaded:
	case <-time.After(patience):
		p.t.Fatalf("%s was not loaded within %v", file, patience)
	}
}

// Eval gives the value of an expression of JavaScript, awaited if it is a
// promise. (The page's own policy does not concern the developer tools.)
func (p *Page) Eval(expression string, into any) {
	p.t.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	p.do("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &r)
	if r.ExceptionDetails != nil {
		p.t.Fatalf("%s: %s", expression, r.ExceptionDetails)
	}
	if err := json.Unmarshal(r.Result.Value, into); err != nil {
		p.t.Fatalf("%s: %v: %s", expression, err, r.Result.Value)
	}
}

// Screenshot puts an image of the whole page into a file.
func (p *Page) Screenshot(file string) {
	p.t.Helper()
	var r struct{ Data string }
	p.do("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true, "fromSurface": true}, &r)
	image, err := base64.StdEncoding.DecodeString(r.Data)
	if err == nil {
		err = os.WriteFile(file, image, 0o600)
	}
	if err != nil {
		p.t.Fatal(fmt.Errorf("the screenshot: %w", err))
	}
}

// Complaints are what the console and the browser said since Open.
func (p *Page) Complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.complaints...)
}

// Requests are the URLs that the pages asked for since Open, the files
// themselves among them.
func (p *Page) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.requests...)
}
