//go:build !linux

package stack

import "syscall"

// dieWithParent is Linux's alone. Elsewhere a process that was left over is ended by the next sandbox in the same folder.
func dieWithParent(*syscall.SysProcAttr) {}
