package stack

import "syscall"

// dieWithParent makes a process end when its sandbox is killed, so that nothing is left behind.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGTERM }
