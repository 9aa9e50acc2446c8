package stack

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// givenPorts are the ports given to stacks of this process, which may open them much later.
var givenPorts sync.Map

// port returns the well-known port if FixedPorts is set and it is free, otherwise any free one.
func (s *Stack) port(wellKnown int) int {
	if s.o.FixedPorts && portIsFree(wellKnown) {
		return wellKnown
	}
	if port := FreePort(); port != 0 {
		return port
	}
	return wellKnown
}

// FreePort returns a free port below the range that systems use for outgoing connections, because anybody may take one of
// those before it is used. It returns each port only once, and 0 if it finds none.
func FreePort() int {
	for range 100 {
		port := 20000 + rand.IntN(12000)
		if _, given := givenPorts.LoadOrStore(port, true); !given && portIsFree(port) {
			return port
		}
	}
	return 0
}

func portIsFree(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
	return err == nil && l.Close() == nil
}

// listening opens a port that was free a moment ago, and tries several ports. A process that is just being started may have inherited
// the socket that was opened to check the port, and keeps it until it runs its own program.
func listening[L any](open func() (L, error)) (l L, err error) {
	for range 5 {
		if l, err = open(); err == nil {
			break
		}
	}
	return l, err
}
