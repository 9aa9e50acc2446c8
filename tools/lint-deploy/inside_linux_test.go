package lintdeploy

import (
	"os"
	"os/exec"
	"path"
	"syscall"
	"testing"
)

// mountProc mounts /proc in the image's files, as every engine does, because the worker sends Temporal its own checksum.
func mountProc(t *testing.T, files string) {
	t.Helper()
	at := path.Join(files, "proc")
	if err := os.Mkdir(at, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("proc", at, "proc", syscall.MS_RDONLY, ""); err != nil {
		notTested(t, "the image's files are not started, because /proc cannot be mounted here: "+err.Error())
	}
	t.Cleanup(func() { _ = syscall.Unmount(at, syscall.MNT_DETACH) })
}

// inside returns a program of the image, with the image's environment, as a user that owns nothing.
func inside(t *testing.T, files, program string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := &exec.Cmd{Path: path.Join("/usr/local/bin", program), Args: append([]string{path.Join("/usr/local/bin", program)}, args...), Dir: "/data"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: files, Credential: &syscall.Credential{Uid: 12345, Gid: 54321}}
	cmd.Env = []string{"ZONEINFO=/zoneinfo.zip", "FRAMEBRIDGE_CONFIG=/etc/framebridge/framebridge.yaml", "PATH=/usr/local/bin"}
	for _, name := range []string{"FRAMEBRIDGE_KEY", "ACME_API_KEY", "ACME_FRAMEIO_CLIENT_ID", "ACME_FRAMEIO_CLIENT_SECRET", "ACME_ICONIK_APP", "ACME_ICONIK_TOKEN"} {
		cmd.Env = append(cmd.Env, name+"=a-value-of-"+name)
	}
	return cmd
}
