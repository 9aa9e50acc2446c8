package contract

// played are the generations of Frame.io whose tables the fast suite plays: V4. Both are played by the slow steps of tools/check,
// with the tag integration; and, here too, wherever all of the vendors' operations are held against their documents.
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
