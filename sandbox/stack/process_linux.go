package stack

import "syscall"

// dieWithParent ends a process whose sandbox was killed: nothing is left behind, whatever happens to the sandbox.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGTERM }
