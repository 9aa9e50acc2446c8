package contract

// sampled tells whether the fast suite plays the i-th row of a large table: every n-th, and on each API other ones. The slow steps
// of tools/check, with the tag integration, play all of them.
func sampled(generation string, i, n int) bool {
	offset := 0
	if generation == "v4" {
		offset = 1
	}
	return wholeTables || i%n == offset%n
}

// rounds is how many seeds of a random history are played.
func rounds(fast, slow int) int {
	if wholeTables {
		return slow
	}
	return fast
}
