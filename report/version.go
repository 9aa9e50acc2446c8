package report

import "runtime/debug"

// Version returns Framebridge's own version, as built.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// iconikAPI is the version of iconik's API in use.
const iconikAPI = "v1"

// frameioAPI returns the version of Frame.io's API for the archive's generation.
func frameioAPI(generation string) string {
	if generation == "v4" {
		return "v4"
	}
	return "v2 (legacy)"
}
