package page

// Badge is a state in words and the class that colors it.
type Badge struct{ Text, Class string }

// Go returns the badge of something in progress.
func Go(text string) Badge { return Badge{text, "go"} }

// Wait returns the badge of something that waits for its turn, a time or a person.
func Wait(text string) Badge { return Badge{text, "wait"} }

// Good returns the badge of a good outcome.
func Good(text string) Badge { return Badge{text, "good"} }

// Fair returns the badge of an outcome that somebody should know about.
func Fair(text string) Badge { return Badge{text, "fair"} }

// Bad returns the badge of a failure.
func Bad(text string) Badge { return Badge{text, "bad"} }

// Off returns the badge of something that is over or was left out.
func Off(text string) Badge { return Badge{text, "off"} }

// Labeled returns a state's badge. An unknown state, from a newer release, is shown as it is.
func Labeled[K ~string](of map[K]Badge, state K) Badge {
	if b, ok := of[state]; ok {
		return b
	}
	return Off(string(state))
}
