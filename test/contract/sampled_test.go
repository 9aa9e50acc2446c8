package contract

// played are the generations on which a test of both is played: V4 by the fast suite, both by the slow steps of tools/check, with the
// tag integration. The tests that hold all operations against the vendors' documents play both always.
func played() []string {
	if wholeTables {
		return []string{"legacy", "v4"}
	}
	return []string{"v4"}
}

// sampled tells whether the fast suite plays the i-th row of a large table: every n-th. The slow steps play all of them.
func sampled(i, n int) bool {
	return wholeTables || i%n == 0
}

// rounds is how many seeds of a random history are played.
func rounds(fast, slow int) int {
	if wholeTables {
		return slow
	}
	return fast
}
