package page

// Badge is a state in words, and how it is colored.
type Badge struct{ Text, Class string }

// Go is something that moves.
func Go(text string) Badge { return Badge{text, "go"} }

// Wait is something that waits for its turn, a time or a person.
func Wait(text string) Badge { return Badge{text, "wait"} }

// Good is a good end.
func Good(text string) Badge { return Badge{text, "good"} }

// Fair is an end that somebody should know about.
func Fair(text string) Badge { return Badge{text, "fair"} }

// Bad is a failure.
func Bad(text string) Badge { return Badge{text, "bad"} }

// Off is what is over, or was left out.
func Off(text string) Badge { return Badge{text, "off"} }

// Labeled finds a state's badge; one that a newer release knows stays as it is.
func Labeled[K ~string](of map[K]Badge, state K) Badge {
	if b, ok := of[state]; ok {
		return b
	}
	return Off(string(state))
}
