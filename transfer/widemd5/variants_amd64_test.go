package widemd5

import "golang.org/x/sys/cpu"

// variants returns what this processor can run.
func variants() []string {
	out := []string{"standard"}
	if cpu.X86.HasAVX2 {
		out = append(out, "avx2")
	}
	if useVL {
		out = append(out, "vl")
	}
	return out
}

func choose(variant string) (restore func()) {
	available, vl := Available, useVL
	Available, useVL = variant != "standard", variant == "vl"
	return func() { Available, useVL = available, vl }
}
