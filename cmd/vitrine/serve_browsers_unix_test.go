//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// killedWhole makes the end of cmd's context kill the processes that cmd started, too.
func killedWhole(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
