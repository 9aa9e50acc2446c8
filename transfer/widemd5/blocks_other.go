//go:build !amd64

package widemd5

// Available reports whether several streams cost less together than one by one.
const Available = false

func blocks8(*[4][Lanes]uint32, *[Lanes]*byte, int) {}
