// Package version says which Framebridge this is.
package version

import (
	"fmt"
	"runtime/debug"
)

// Set by the linker for a release (-X …/version.Version=…). What is not set is taken from the build information.
var (
	Version = ""
	Commit  = ""
	Date    = ""
)

// Info is a program's version.
type Info struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Date    string `json:"date,omitempty"`
}

// Get returns this program's version, which is "dev" if nothing has set one.
func Get() Info {
	out := Info{Version: Version, Commit: Commit, Date: Date}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		build = &debug.BuildInfo{}
	}
	if out.Version == "" && build.Main.Version != "(devel)" {
		out.Version = build.Main.Version
	}
	if out.Version == "" {
		out.Version = "dev"
	}
	for _, s := range build.Settings {
		switch {
		case s.Key == "vcs.revision" && out.Commit == "":
			out.Commit = s.Value
		case s.Key == "vcs.time" && out.Date == "":
			out.Date = s.Value
		}
	}
	return out
}

func (i Info) String() string {
	switch {
	case i.Commit == "":
		return i.Version
	case i.Date == "":
		return fmt.Sprintf("%s (%s)", i.Version, i.Commit)
	}
	return fmt.Sprintf("%s (%s, %s)", i.Version, i.Commit, i.Date)
}
