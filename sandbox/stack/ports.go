package stack

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// givenPorts are those that stacks of this process have: whoever gets one may open it late.
var givenPorts sync.Map

// port takes a well-known port where it is free, otherwise any.
func (s *Stack) port(wellKnown int) int {
	if s.o.FixedPorts && portIsFree(wellKnown) {
		return wellKnown
	}
	if port := FreePort(); port != 0 {
		return port
	}
	return wellKnown
}

// FreePort is a port below the range from which systems take the ports of outgoing connections: one of those may be taken by
// anybody between the finding and the use. It is given once. 0: none was found.
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

// listening opens a port that was free a moment ago. A process that is being started has what was opened to find that out, until it
// runs its own program: then it is another port.
func listening[L any](open func() (L, error)) (l L, err error) {
	for range 5 {
		if l, err = open(); err == nil {
			break
		}
	}
	return l, err
}
