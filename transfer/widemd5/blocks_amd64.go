package widemd5

import "golang.org/x/sys/cpu"

// Available reports whether several streams cost less together than one by one.
var Available = cpu.X86.HasAVX2

var useVL = cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL

// blocks8 hashes blocks of 64 bytes from each of eight addresses.
func blocks8(state *[4][Lanes]uint32, from *[Lanes]*byte, blocks int) {
	if useVL {
		blocks8VL(state, from, blocks)
	} else {
		blocks8AVX2(state, from, blocks)
	}
}

//go:noescape
func blocks8AVX2(state *[4][Lanes]uint32, from *[Lanes]*byte, blocks int)

//go:noescape
func blocks8VL(state *[4][Lanes]uint32, from *[Lanes]*byte, blocks int)
