//go:build linux

package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// component is one program of the cluster, running or not.
type component struct {
	name      string // of its log
	program   string
	called    string // the name under which a program of several is started; empty: its path
	arguments []string
	variables []string
	logs      string // folder

	process *exec.Cmd
	ended   chan struct{} // closed when process has ended
}

// start starts the program and adds its output to its log.
func (c *component) start() error {
	log, err := os.OpenFile(filepath.Join(c.logs, c.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	c.process = exec.Command(c.program, c.arguments...)
	if c.called != "" {
		c.process.Args[0] = c.called
	}
	c.process.Env = append(os.Environ(), c.variables...)
	c.process.Stdout, c.process.Stderr = log, log
	if err := c.process.Start(); err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	c.ended = make(chan struct{})
	go func(p *exec.Cmd, ended chan struct{}) {
		_ = p.Wait()
		close(ended)
	}(c.process, c.ended)
	return nil
}

// kill ends the program at once and waits for it.
func (c *component) kill() {
	if c.process == nil {
		return
	}
	_ = c.process.Process.Kill()
	<-c.ended
	c.process = nil
}

// until waits for a condition that a component brings about, and gives up with the end of its log.
func (c *component) until(what string, within time.Duration, holds func() bool) error {
	for deadline := time.Now().Add(within); ; {
		if holds() {
			return nil
		}
		select {
		case <-c.ended:
			return fmt.Errorf("%s ended by itself (%s): %s", c.name, c.process.ProcessState, c.lastWords())
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s has not come within %s; %s said last: %s", what, within, c.name, c.lastWords())
		}
	}
}

func (c *component) lastWords() string {
	said, _ := os.ReadFile(filepath.Join(c.logs, c.name+".log"))
	return string(said[max(0, len(said)-2000):])
}
