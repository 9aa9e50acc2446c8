package report

import "runtime/debug"

// Version is Framebridge's own, as it was built.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// iconikAPI is the version of iconik's API that is spoken.
const iconikAPI = "v1"

// frameioAPI names the version of Frame.io's API by the archive's generation.
func frameioAPI(generation string) string {
	if generation == "v4" {
		return "v4"
	}
	return "v2 (legacy)"
}
