package phoneproc

import (
	"context"
	"io"
	"strconv"
)

// What makes a process the body of a worker.

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) gone() <-chan struct{} { return p.done }

func (p *process) end() Exit { return p.exit }

// The rest of what go-plugin's runner.Runner asks of a process.

func (p *process) Wait(context.Context) error {
	<-p.done
	return p.waitErr
}

func (p *process) Kill(context.Context) error {
	p.kill()
	return nil
}

func (p *process) Stdout() io.ReadCloser { return p.stdout }

func (p *process) Stderr() io.ReadCloser { return p.stderr }

func (p *process) Name() string { return p.cmd.Path }

func (p *process) ID() string {
	if !p.started() {
		return ""
	}
	return strconv.Itoa(p.cmd.Process.Pid)
}

func (p *process) Diagnose(context.Context) string { return "" }

func (p *process) PluginToHost(network, addr string) (string, string, error) {
	return network, addr, nil
}

func (p *process) HostToPlugin(network, addr string) (string, string, error) {
	return network, addr, nil
}
