package transfer

// buffer returns a buffer for memory that the caller has acquired. A sync.Pool would drop the buffers at garbage collections.
func (e *Engine) buffer(size int64) []byte {
	if size < e.o.PartSize/2 || size > e.o.PartSize {
		return make([]byte, size)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if last := len(e.free) - 1; last >= 0 {
		b := e.free[last]
		e.free = e.free[:last]
		return b[:size]
	}
	e.hold(e.buffers + 1)
	return make([]byte, size, e.o.PartSize)
}

func (e *Engine) hold(buffers int64) {
	e.buffers = buffers
	if e.o.Holds != nil {
		e.o.Holds(buffers * e.o.PartSize)
	}
}

func (e *Engine) giveBack(b []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if int64(cap(b)) == e.o.PartSize {
		e.free = append(e.free, b)
	}
}

// begin and end count the transfers, so that an idle engine keeps no memory.
func (e *Engine) begin() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.running++
	e.o.Metrics.inFlight(1)
}

func (e *Engine) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running--; e.running == 0 {
		e.free = nil
		e.hold(0)
	}
	e.o.Metrics.inFlight(-1)
}
